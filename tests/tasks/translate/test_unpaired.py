"""The unpaired methods: cycle and contrastive losses, detection, refused settings, metrics."""

import numpy as np
import pytest
import tensorflow as tf
from fake_vgg import write_fake_vgg
from PIL import Image
from small_unpaired import TINY_UNPAIRED, write_unpaired

from tfgan_app import config as configs
from tfgan_app.losses import patch_nce_loss
from tfgan_app.networks.patch_features import take_patches
from tfgan_app.tasks.methods import check_preset
from tfgan_app.tasks.translate import TRANSLATE, UNPAIRED_METHOD, detect_method
from tfgan_app.tasks.translate.presets import UNPAIRED_PRESETS


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return write_unpaired(tmp_path_factory.mktemp("sets"))


@pytest.fixture(scope="module")
def with_truth(tmp_path_factory):
    return write_unpaired(tmp_path_factory.mktemp("pairs"), pairs=True)


def task(data, method, *, report=lambda line: None, **settings):
    values = {**TINY_UNPAIRED, "data.source": str(data), "training.steps": 8, "task.method": method, **settings}
    if method != "cyclegan":
        values.setdefault("task.nce_patches", 8)
    config = configs.replace_values(configs.default_config("translate", TRANSLATE.config_class), values)
    return TRANSLATE(config, report=report)


def batch_of(subject, *, seed=0):
    batch = next(iter(subject.build_dataset(start_step=0, seed=0)))
    draws = tf.random.stateless_uniform([len(batch["position"]), subject.draws_per_example], [seed, 1])
    return subject.augment(batch, draws)


def copy(images, training=False):
    return images


def perturb(networks):
    """Fresh generators of this architecture copy their input, where mean absolute errors have no slope."""
    for seed, model in enumerate(networks.generators.values()):
        rng = np.random.default_rng(seed)
        model.set_weights([w + rng.normal(0, 0.05, w.shape) for w in model.get_weights()])
    return networks


def gradients(subject, *, loss):
    networks = perturb(subject.build_networks())
    batch = batch_of(subject)
    variables = {name: model.trainable_variables for name, model in networks.generators.items()}
    with tf.GradientTape() as tape:
        tape.watch([v.value for each in variables.values() for v in each])
        value = loss(subject.forward(networks, batch, True))
    found = tape.gradient(value, {name: [v.value for v in each] for name, each in variables.items()})
    return {name: [g for g in each if g is not None and float(tf.norm(g)) > 0] for name, each in found.items()}


def test_either_generator_learns_from_the_cycle_and_from_its_own_identity(data):
    subject = task(data, "cyclegan")
    for name in ("cycle", "identity"):
        found = gradients(subject, loss=lambda outputs, name=name: outputs.auxiliary[name])
        assert all(found.values()), (name, found.keys())


def test_the_cycle_and_the_identity_are_those_of_the_paper(data):
    subject = task(data, "cyclegan")
    networks, batch = perturb(subject.build_networks()), batch_of(subject)
    there, back = networks.generators["generator"], networks.generators["inverse"]
    inputs, targets = batch["input"], batch["target"]
    outputs = subject.forward(networks, batch, True)

    def distance(a, b):
        return float(np.abs(np.asarray(a) - np.asarray(b)).mean())

    cycle = distance(inputs, back(there(inputs))) + distance(targets, there(back(targets)))
    assert float(outputs.auxiliary["cycle"]) == pytest.approx(cycle, rel=1e-4)
    identity = distance(targets, there(targets)) + distance(inputs, back(inputs))
    assert float(outputs.auxiliary["identity"]) == pytest.approx(identity, rel=1e-4)
    real, fake, condition = outputs.adversarial["inverse_discriminator"]
    np.testing.assert_array_equal(real, inputs)
    np.testing.assert_allclose(fake, back(targets), atol=1e-5)
    assert condition is None
    np.testing.assert_allclose(outputs.adversarial["discriminator"][1], there(inputs), atol=1e-5)


@pytest.mark.parametrize(
    ("method", "key", "name"),
    [("cyclegan", "task.identity_weight", "identity"), ("cut", "task.nce_identity_weight", "nce_identity")],
)
def test_the_identity_loss_is_computed_only_where_it_is_weighted(data, method, key, name):
    for weight in (0.0, 2.0):
        subject = task(data, method, **{key: weight})
        outputs = subject.forward(subject.build_networks(), batch_of(subject), True)
        assert (name in outputs.auxiliary) == (weight > 0)
        assert subject.objective.auxiliary_weights.get(name, 0.0) == weight


def test_methods_bring_the_weights_of_the_paper(data):
    assert task(data, "cut").objective.auxiliary_weights == {"nce": 1.0, "nce_identity": 1.0}
    assert task(data, "fastcut").objective.auxiliary_weights == {"nce": 10.0}
    assert task(data, "cyclegan").objective.auxiliary_weights == {"cycle": 10.0, "identity": 5.0}
    assert task(data, "cyclegan").discriminator_inputs.pool_size == 50


def test_the_contrast_is_that_of_input_and_output_at_equal_places(data):
    subject = task(data, "cut")
    networks, batch = perturb(subject.build_networks()), batch_of(subject)
    outputs = subject.forward(networks, batch, True)
    encode, perceptrons = networks.views["encoder"], networks.generators["patch_features"]
    places = tf.split(batch["places"], 4, axis=1)
    for name, source in (("nce", batch["input"]), ("nce_identity", batch["target"])):
        output = networks.generators["generator"](source)
        sides = [
            perceptrons([take_patches(f, d) for f, d in zip(encode(images), places, strict=True)])
            for images in (output, source)
        ]
        expected = np.mean([float(patch_nce_loss(q, k)) for q, k in zip(*sides, strict=True)])
        assert float(outputs.auxiliary[name]) == pytest.approx(expected, rel=1e-4)


def test_generator_and_perceptrons_learn_from_the_contrast(data):
    assert all(gradients(task(data, "cut"), loss=lambda outputs: outputs.auxiliary["nce"]).values())


def test_a_mirrored_input_is_contrasted_with_the_input_as_it_was(data):
    subject = task(data, "fastcut")
    networks, batch = subject.build_networks(), batch_of(subject)
    outputs, shown = {}, []
    generator = networks.views["generator"]
    networks.views["generator"] = lambda images, training: shown.append(images) or generator(images, training=training)
    for mirrored in (False, True):
        marked = batch | {"mirrored": tf.fill([2], mirrored)}
        outputs[mirrored] = subject.forward(networks, marked, True)
    np.testing.assert_array_equal(shown[1], shown[0][:, :, ::-1])
    # A fresh generator copies, so what it makes of the mirror image, mirrored back, is the same.
    fakes = [outputs[mirrored].adversarial["discriminator"][1] for mirrored in (False, True)]
    np.testing.assert_allclose(*fakes, atol=1e-6)
    assert float(outputs[True].monitored["change"]) == pytest.approx(0.0, abs=1e-6)


@pytest.mark.parametrize(
    ("method", "setting"),
    [
        ("cyclegan", "task.nce_weight"),
        ("cyclegan", "task.l1_weight"),
        ("cut", "task.cycle_weight"),
        ("fastcut", "task.pool_size"),
        ("paired", "task.identity_weight"),
        ("paired", "task.nce_patches"),
    ],
)
def test_a_setting_of_another_method_is_refused_by_name(data, method, setting):
    with pytest.raises(ValueError, match=rf"`{setting}` is for `task.method` .* for {method}"):
        task(data, method, **({"task.features": "auto", "task.nce_patches": 256} | {setting: 7}))


def test_images_decide_on_the_method(data, with_truth, tmp_path):
    assert detect_method(None) == "paired"
    assert detect_method(str(tmp_path / "nowhere")) == "paired"
    assert detect_method("tfds:cycle_gan/horse2zebra") == UNPAIRED_METHOD
    assert detect_method(str(data)) == UNPAIRED_METHOD
    for side, names in (("A", range(8)), ("B", range(5, 13))):
        for name in names:
            path = tmp_path / "some" / side / f"{name}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
    with pytest.raises(ValueError, match="38% of the names match: set `task.method`"):
        detect_method(str(tmp_path / "some"))


def test_direction_says_which_set_the_inputs_are(data):
    forward, backward = (task(data, "cut", **{"task.direction": d}).data.images for d in ("a2b", "b2a"))
    np.testing.assert_array_equal(forward["input"], backward["target"])
    np.testing.assert_array_equal(forward["target"], backward["input"])


def test_a_model_that_copies_measures_as_the_baseline_and_is_said_to(with_truth):
    lines = []
    subject = task(with_truth, "cut", report=lines.append)
    measured = subject.evaluate(copy)
    assert subject.metric_names == ("fid", "kid", "psnr", "ssim", "l1")
    for name in subject.metric_names:
        assert measured[name] == pytest.approx(measured[f"copy_{name}"])
    assert measured["change"] == 0.0
    assert measured["floor_fid"] < measured["fid"]
    assert [line for line in lines if "hardly differs from the input" in line]
    lines.clear()
    assert subject.evaluate(lambda images, training: 1.0 - images)["change"] > 0.3
    assert not lines


def test_the_way_back_is_measured_where_its_model_is_given(data):
    subject = task(data, "cyclegan")
    assert subject.metric_names == ("fid", "kid")
    assert "inverse_fid" not in subject.evaluate(copy)
    measured = subject.evaluate(copy, inverse=lambda images, training: 1.0 - images)
    assert measured["inverse_fid"] != measured["inverse_copy_fid"]
    assert measured["cycle_psnr"] < 10
    exact = subject.evaluate(copy, inverse=copy)
    assert exact["cycle_psnr"] == exact["inverse_cycle_psnr"] == 100.0
    assert exact["inverse_fid"] == pytest.approx(exact["inverse_copy_fid"])
    grids = subject.examples(copy, copy, inverse=copy)
    assert list(grids)[-1] == "the way back"
    assert all(grid.dtype == np.uint8 for grid in grids.values())


def test_features_and_lpips_from_a_weights_file(with_truth, tmp_path):
    write_fake_vgg(tmp_path / "vgg.npz")
    weights = {f"task.{name}": str(tmp_path / "vgg.npz") for name in ("feature_weights", "lpips_weights")}
    subject = task(with_truth, "cut", **{**weights, "task.features": "auto"})
    assert subject.metric_names[-1] == "lpips"
    assert subject.protocol()["features"] == "vgg16_relu5_3"
    assert subject.protocol()["true_pairs"] == 6


def test_rows_and_examples_show_a_target_only_where_there_is_one(data, with_truth):
    for source, headers in ((data, ("input", "output")), (with_truth, ("input", "output", "target"))):
        subject = task(source, "cut")
        assert subject.sample_headers == headers
        rows = subject.sample_rows(lambda images, training: 1.0 - images)
        assert {len(row) for row in rows} == {len(headers)}
        np.testing.assert_array_equal(rows[0][1], 255 - rows[0][0])
        known = [target is not None for _, target in subject.held_out_examples()]
        assert all(known) == any(known) == (len(headers) == 3)


def test_too_few_images_are_reported(tmp_path):
    few = write_unpaired(tmp_path, train=(3, 12))
    with pytest.raises(ValueError, match=r"at least 12 input images to train on in .* Found 3"):
        task(few, "cut").prepare()


@pytest.mark.parametrize("name", UNPAIRED_PRESETS)
def test_presets_resolve_to_their_method_and_a_metric_that_it_has(data, name):
    run = configs.resolve_config("translate", TRANSLATE.config_class, preset=UNPAIRED_PRESETS[name])
    assert run.task.method == name.removesuffix("_paper")
    assert run.training.best_metric == "fid"
    subject = TRANSLATE(configs.replace_values(run, {"data.source": str(data)}), report=lambda line: None)
    assert "fid" in subject.metric_names


def test_a_network_that_lacks_a_setting_is_refused_only_where_the_user_set_it(data):
    settings = {"task.generator": "resnet_6", "task.generator_depth": None}
    generator = task(data, "cyclegan", **settings).build_networks().generators["generator"]
    assert generator.get_layer("block_5")
    with pytest.raises(ValueError, match="`task.generator=resnet_6` has no depth to set"):
        task(data, "cyclegan", **{"task.generator": "resnet_6", "task.generator_depth": 2})


def test_unpaired_generators_halve_three_times(data):
    networks = task(data, "cyclegan", **{"task.generator_depth": None}).build_networks()
    names = [layer.name for layer in networks.generators["generator"].layers]
    assert "down_2" in names
    assert "down_3" not in names


def test_fewer_targets_may_be_taken_for_inputs(data):
    whole, half = (task(data, "cut", **{"task.nce_identity_share": share}) for share in (1.0, 0.5))
    networks, batch = perturb(whole.build_networks()), batch_of(whole)
    everything, fewer = (subject.forward(networks, batch, True).auxiliary for subject in (whole, half))
    assert float(fewer["nce"]) == pytest.approx(float(everything["nce"]), rel=1e-5)
    count = -(-len(batch["input"]) // 2)
    first = {name: values[:count] for name, values in batch.items()}
    alone = whole.forward(networks, first, True).auxiliary
    assert float(fewer["nce_identity"]) == pytest.approx(float(alone["nce_identity"]), rel=1e-4)


def test_other_pairs_without_a_split_can_be_measured_on(data, tmp_path):
    for index in range(8):
        image = np.random.default_rng(index).integers(0, 256, (16, 32, 3), np.uint8)
        Image.fromarray(image).save(tmp_path / f"{index}.png")
    config = task(data, "cyclegan").config
    held_out = TRANSLATE(config, report=lambda line: None, measure_on=str(tmp_path)).data
    assert len(held_out.true_pairs[0]) == 8


def test_a_choice_of_held_out_images_mixes_folders_and_keeps_pairs(tmp_path):
    folder = write_unpaired(tmp_path, val=40, pairs=True)
    for side in "AB":
        for index in range(20, 40):
            path = folder / f"val{side}" / f"{index}.png"
            (path.parent / "night").mkdir(exist_ok=True)
            path.rename(path.parent / "night" / path.name)
    subject = task(folder, "cyclegan", **{"data.max_val_images": 10})
    names = subject.data.held_out["input"].images.names
    assert 0 < sum(name.startswith("night/") for name in names) < 10
    assert len(subject.data.true_pairs[0]) == 10


def test_a_preset_of_another_method_is_refused(data):
    with pytest.raises(ValueError, match="one of those of `task.method=cut`: cut, cut_paper. Received: 'default'"):
        check_preset(TRANSLATE, "default", {"task.method": "cut"})
    check_preset(TRANSLATE, "cut_paper", {"task.method": "cut"})
    check_preset(TRANSLATE, "cyclegan", {})
    check_preset(TRANSLATE, "default", {"task.method": "cutt"})  # Refused with the other values, by name.


def test_pairs_by_name_are_reported(tmp_path):
    for side in "AB":
        (tmp_path / side).mkdir()
        for index in range(14):
            Image.fromarray(np.full((16, 16, 3), 10 * index, np.uint8)).save(tmp_path / side / f"{index}.png")
    lines, settings = [], {"data.image_size": 16, "data.source": str(tmp_path), "task.discriminator": "patchgan_16"}
    config = configs.replace_values(configs.default_config("translate", TRANSLATE.config_class), settings)
    TRANSLATE(config, report=lines.append).prepare()
    assert any("pairs by equal names; if they are not pairs" in line for line in lines)
