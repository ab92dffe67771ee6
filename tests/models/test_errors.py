"""Errors of wrong keywords, optimizers and data: one line with expected, received and what to do."""

import keras
import numpy as np
import pytest
from tiny_models import images, tiny_generator, tiny_pix2pix
from tiny_style import build_tiny_encoder

from tfgan_app import models
from tfgan_app.callbacks import ImageGrid

CONSTRUCTORS = {
    "an unknown keyword": (lambda: models.Pix2Pix(l1_wieght=1.0), "keywords among .*l1_weight.*'l1_wieght'"),
    "a name of no table": (lambda: models.Pix2Pix(generator="unett"), "`generator` must be 'residual_unet' or"),
    "a value out of bounds": (lambda: models.Pix2Pix(l1_weight=-1), "`l1_weight` must be a number, at least 0"),
    "a keyword of another method": (lambda: models.CUT(cycle_weight=1.0), "'cycle_weight'"),
    "a setting the network has not": (
        lambda: models.Pix2Pix(generator="resnet_6", generator_depth=2),
        "`generator=resnet_6` has no depth to set",
    ),
    "a module that is not there": (lambda: models.Pix2Pix(generator="no_such_module:build"), "no_such_module:build"),
    "no network": (lambda: models.Pix2Pix(generator=lambda: None), "`generator` must be a keras.Model that is built"),
    "an object that is no network": (lambda: models.Pix2Pix(generator={1: 2}), "`generator` must be a name of the"),
    "a network that is not built": (
        lambda: models.Pix2Pix(generator=keras.Sequential([keras.layers.Conv2D(3, 1)])),
        "a model that is not built",
    ),
    "labels of a loss without": (lambda: models.GAN(real_label=0.9), "`real_label` other than 1"),
    "an odd number of channels": (lambda: models.GAN(channels=2), "`channels` must be 1 or 3"),
    "holes beside noise": (lambda: models.Restoration(degradation=("inpaint", "jpeg")), "must stand alone"),
    "a generator without layers": (lambda: models.CUT(generator=tiny_generator), "`nce_layers` must name"),
    "an interval": (lambda: ImageGrid(4, "x", every=0), "`every` must be 'epoch' or an integer"),
}


@pytest.mark.parametrize("case", CONSTRUCTORS)
def test_constructors_say_what_they_expect(case):
    build, message = CONSTRUCTORS[case]
    with pytest.raises(ValueError, match=message) as raised:
        build()
    assert "\n" not in str(raised.value) and "task." not in str(raised.value)


OPTIMIZERS = {
    "an unknown name": (lambda: ("adamm", "adam"), "`generator_optimizer` must be a Keras optimizer.*'adamm'"),
    "none": (lambda: ("adam", None), "`discriminator_optimizer` must be a Keras optimizer"),
    "one for both": (lambda: (keras.optimizers.Adam(),) * 2, "must be different objects"),
}


@pytest.mark.parametrize("option", ["optimizer", "loss", "metrics"])
def test_compile_refuses_what_the_model_has_itself(option):
    with pytest.raises(ValueError, match=f"Received: `{option}`"):
        tiny_pix2pix().compile("adam", "adam", **{option: "mae"})


@pytest.mark.parametrize("case", OPTIMIZERS)
def test_compile_says_what_it_expects(case):
    build, message = OPTIMIZERS[case]
    with pytest.raises(ValueError, match=message):
        tiny_pix2pix().compile(*build())


X = images()
DATA = {
    "inputs alone": ((X,), {}, r"batches \(input, target\)"),
    "other keys": (({"a": X, "b": X},), {}, "Received: keys a, b"),
    "8 bits": ((X, (X * 127 + 128).astype(np.uint8)), {}, "images / 127.5 - 1"),
    "gray images": ((X[..., :1], X), {}, r"`input` of shape \[batch, height, width, 3\]"),
    "weights": ((X, X), {"sample_weight": np.ones(4)}, "takes no sample weights"),
}


@pytest.mark.parametrize("case", DATA)
def test_fit_and_evaluate_say_what_they_expect(case):
    data, options, message = DATA[case]
    gan = tiny_pix2pix()
    gan.compile("adam", "adam", run_eagerly=True)
    for method in (gan.fit, gan.evaluate):
        with pytest.raises(ValueError, match=message):
            method(*data, verbose=0, **options)


def small_gan(**keywords):
    return models.GAN(image_size=16, generator="mlp", generator_width=4, discriminator_width=4, **keywords)


OTHERS = {
    "another size": (small_gan, (X,), "images of 16 x 16 px, as `image_size`"),
    "no labels": (lambda: small_gan(classes=2), (images(size_px=16),), r"batches \(images, labels\)"),
    "one-hot labels": (lambda: small_gan(classes=2), (images(size_px=16), np.eye(4)), "take the argmax"),
    "a pool of another size": (lambda: models.CycleGAN(image_size=32, generator_width=4), (X, X), "`image_size`"),
    "another scale": (lambda: models.SuperResolution(scale=2), (X, X), "2 times as wide and high"),
    "too small for the discriminator": (
        lambda: models.Pix2Pix(generator_width=4, generator_depth=1, discriminator="patchgan_286"),
        (X, X),
        "`discriminator=patchgan_286` needs `image_size` of at least 96. Received: 24",
    ),
    "contents of an odd size": (
        lambda: models.StyleTransfer(encoder=build_tiny_encoder(), decoder_width=2),
        (images(size_px=20), X),
        "multiples of 8",
    ),
    "no multiple": (lambda: models.SuperResolution(scale=3), (images(size_px=16),), "multiples of `scale=3`"),
    "holes without a mask": (
        lambda: models.Restoration(degradation=("inpaint",)),
        (X, X),
        r"`damaged` of shape \[batch, height, width, 4\]",
    ),
}


@pytest.mark.parametrize("case", OTHERS)
def test_models_say_what_they_expect(case):
    build, data, message = OTHERS[case]
    gan = build()
    gan.compile("adam", "adam", run_eagerly=True)
    with pytest.raises(ValueError, match=message):
        gan.fit(*data, verbose=0)


def test_generate_says_what_it_expects():
    for gan, arguments, message in (
        (small_gan(), {"count": 0}, "`count` must be"),
        (small_gan(), {"count": 1, "labels": 1}, "has no classes"),
        (small_gan(classes=2), {"count": 1}, "`labels` must be of 0 to 1"),
    ):
        with pytest.raises(ValueError, match=message):
            gan.generate(**arguments)
