"""A stand-in for TensorFlow Datasets, over records in memory."""

from types import ModuleType, SimpleNamespace

import tensorflow as tf


class FakeFeatures(dict):
    """Like `tfds.features.FeaturesDict`: a mapping of names to features."""


class FakeBuilder:
    """Like `tfds.core.DatasetBuilder`, over splits of `(image, label)`."""

    def __init__(self, splits, *, features):
        self._splits, self.prepared = splits, False
        self.info = SimpleNamespace(splits=dict.fromkeys(splits), features=FakeFeatures(features))

    def download_and_prepare(self):
        self.prepared = True

    def as_dataset(self, *, split):
        assert self.prepared
        if split not in self._splits:
            raise ValueError(f"Unknown split '{split}'.\nShould be one of {list(self._splits)}")
        names = [name for name in ("image", "hr", "label") if name in self.info.features]

        def records():
            for record in self._splits[split]:
                yield dict(zip(names, record, strict=False))

        images = tf.TensorSpec(None, tf.uint8)
        signature = {"image": images, "hr": images, "label": tf.TensorSpec([], tf.int64)}
        return tf.data.Dataset.from_generator(records, output_signature={name: signature[name] for name in names})


def build_fake_tfds(known):
    """A module whose sets are the `FakeBuilder`s in `known`."""

    def builder(name):
        if name not in known:
            raise ValueError(f"Dataset {name} not found.\nAvailable: {', '.join(known)}")
        return known[name]

    module = ModuleType("tensorflow_datasets")
    module.builder = builder
    return module
