"""Latent spaces: ways between points, walks, directions with a meaning, and projection."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf
from tiny_generator import build_tiny_generator

from tfgan_app.export import export_model
from tfgan_app.inference import load_predictor
from tfgan_app.inference.latent_space import LatentPoint, LatentSpace, read_point
from tfgan_app.inference.projection import pixel_distance, project
from tfgan_app.inference.walks import class_walk, direction_sweep, interpolation, mixing_grid, truncation_sweep
from tfgan_app.layers import ToUnitRange
from tfgan_app.networks import NOISE_GENERATORS
from tfgan_app.tasks.generate.builders import build_inference_model
from tfgan_app.tasks.generate.config import GenerateConfig

NAMES = ("bag", "boot", "shirt")


def build_network(architecture, *, class_names=(), latent_dim=8):
    """An inference model of one of the package's generators, with weights large enough to see."""
    keras.utils.set_random_seed(1)
    settings = GenerateConfig(architecture=architecture, latent_dim=latent_dim)
    generator = NOISE_GENERATORS[architecture](
        size_px=16, channels=1, latent_dim=latent_dim, width=8, classes=len(class_names)
    )
    for variable in generator.trainable_variables:
        if len(variable.shape) == 4:
            scale = (4.0 / np.prod(variable.shape[:-1])) ** 0.5
            variable.assign(scale * tf.random.stateless_normal(variable.shape, [3, 4]))
        elif variable.path.endswith(("gain", "class_embedding/kernel")):
            variable.assign(tf.random.stateless_normal(variable.shape, [1, 2]))
    return build_inference_model(generator, settings, class_names=class_names)


def build_mapped():
    """A generator with a mapping network: w is twice z, and each of its four numbers a pixel."""
    latents = keras.Input((4,), name="latents")
    w = keras.layers.Dense(4, use_bias=False, kernel_initializer=keras.initializers.Identity(2.0), name="mapping")
    images = keras.layers.Reshape((2, 2, 1))(w(latents))
    inner = keras.Model(latents, images, name="generator")
    inputs = keras.Input((4,), name="latents")
    return keras.Model(inputs, ToUnitRange()(inner(inputs)), name="generate")


@pytest.fixture(scope="module")
def spaces(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    models = {
        "tiny": build_tiny_generator(channels=3),
        "mapped": build_mapped(),
        "dcgan": build_network("dcgan"),
        **{f"{name}_classes": build_network(name, class_names=NAMES) for name in ("mlp", "dcgan", "r3gan", "biggan")},
        "stylegan2": build_network("stylegan2"),
        "stylegan2_classes": build_network("stylegan2", class_names=NAMES),
        "biggan": build_network("biggan"),
    }
    for name, model in models.items():
        model.save(folder / f"{name}.keras")
    return {name: LatentSpace(load_predictor(folder / f"{name}.keras")) for name in models}


def point(space, seed, label=None):
    return LatentPoint(space.points([seed], label)[0], label, space.name)


def test_a_way_on_a_great_circle(spaces):
    space = spaces["tiny"]
    start, end = space.points([1, 2])
    way = space.between(start, end, 5)
    np.testing.assert_allclose(way[[0, -1]], [start, end], rtol=1e-6)
    unit = way / np.linalg.norm(way, axis=1, keepdims=True)
    angles = np.arccos(np.clip((unit[:-1] * unit[1:]).sum(1), -1, 1))
    total = np.arccos(start @ end / np.linalg.norm(start) / np.linalg.norm(end))
    lengths = np.linalg.norm(way, axis=1)
    assert lengths.min() > 0.95 * min(lengths[[0, -1]])
    # Steps are of equal angle where both ends are of equal length.
    even = space.between(start, end * np.linalg.norm(start) / np.linalg.norm(end), 5)
    even = even / np.linalg.norm(even, axis=1, keepdims=True)
    np.testing.assert_allclose(np.arccos(np.clip((even[:-1] * even[1:]).sum(1), -1, 1)), total / 4, rtol=1e-4)
    assert angles.sum() == pytest.approx(total, rel=1e-4)


@pytest.mark.parametrize("factor", [1.0, -1.0, 0.0])
def test_parallel_points_have_a_way_too(spaces, factor):
    start = spaces["tiny"].points([1])[0]
    way = spaces["tiny"].between(start, factor * start, 3)
    assert np.isfinite(way).all()
    np.testing.assert_allclose(way[[0, -1]], [start, factor * start], atol=1e-6)


def test_an_interpolation_passes_through_its_seeds(spaces):
    space = spaces["dcgan"]
    walk = interpolation(space, [point(space, seed) for seed in (3, 5, 9)], count=4)
    assert walk.images.shape == (2, 4, 16, 16, 1) and walk.images.dtype == np.uint8
    for images, seed in ((walk.images[0, 0], 3), (walk.images[0, -1], 5), (walk.images[1, 0], 5)):
        np.testing.assert_allclose(images.astype(int), space.sampler([seed])[0].astype(int), atol=1)
    assert walk.frames().shape == (7, 16, 16, 3) and walk.sheet().shape == (2 * 18 + 2, 4 * 18 + 2, 1)
    with pytest.raises(ValueError, match="at least two seeds"):
        interpolation(space, [point(space, 1)], count=4)


def test_a_truncation_sweep_ends_at_the_center(spaces):
    space = spaces["tiny"]
    walk = truncation_sweep(space, [4, 5], thresholds=(None, 0.5, 1e-3))
    np.testing.assert_array_equal(walk.images[:, 0], space.sampler([4, 5]))
    np.testing.assert_array_equal(walk.images[:, 1], space.sampler([4, 5], truncation=0.5))
    assert np.abs(walk.images[:, 2].astype(int) - 128).max() <= 1
    assert walk.frames().shape[0] == 3


@pytest.mark.parametrize("name", ["mlp_classes", "dcgan_classes", "r3gan_classes"])
def test_a_class_walk_begins_and_ends_at_its_classes(spaces, name):
    space = spaces[name]
    walk = class_walk(space, 7, [2, 0, 1], count=3)
    expected = space.sampler([7, 7, 7], [2, 0, 1]).astype(int)
    for row, column, index in ((0, 0, 0), (0, -1, 1), (1, 0, 1), (1, -1, 2)):
        np.testing.assert_allclose(walk.images[row, column].astype(int), expected[index], atol=1)
    assert np.abs(walk.images[0, 1].astype(int) - walk.images[0, 0].astype(int)).max() > 2


def test_the_strongest_direction_is_that_of_the_first_layer(spaces):
    space = spaces["dcgan"]
    kernel = space.sampler.model.get_layer("generator").get_layer("from_latents").kernel.numpy().astype(np.float64)
    found = space.directions(8).astype(np.float64)
    np.testing.assert_allclose(found @ found.T, np.eye(8), atol=1e-5)
    gains = np.linalg.norm(found @ kernel, axis=1)
    np.testing.assert_allclose(gains, np.linalg.svd(kernel, compute_uv=False), rtol=1e-4)


def test_directions_behind_a_concatenation_with_a_class(spaces):
    space = spaces["mlp_classes"]
    layers = space.sampler.model.get_layer("generator").layers
    dense = next(layer for layer in layers if isinstance(layer, keras.layers.Dense) and layer.name != "class_embedding")
    kernel = dense.kernel.numpy()[:8].astype(np.float64)
    gains = np.linalg.norm(space.directions(3).astype(np.float64) @ kernel, axis=1)
    np.testing.assert_allclose(gains, np.linalg.svd(kernel, compute_uv=False)[:3], rtol=1e-4)


def test_a_direction_sweep_has_the_point_in_the_middle(spaces):
    space = spaces["dcgan"]
    walk = direction_sweep(space, point(space, 2), space.directions(2), count=5)
    assert walk.images.shape[:2] == (2, 5)
    for row in walk.images:
        np.testing.assert_allclose(row[2].astype(int), space.sampler([2])[0].astype(int), atol=1)
        assert (row[0] != row[4]).any()
    with pytest.raises(ValueError, match=r"from 1 to 8. Received: 9"):
        space.directions(9)


@pytest.mark.parametrize(("name", "label"), [("dcgan", None), ("mlp_classes", 1)])
def test_a_projection_finds_a_generated_image_again(spaces, name, label):
    space = spaces[name]
    # A seed beyond those that the search begins with.
    image = space.sampler([5000], None if label is None else [label])[0]
    found = project(space, np.repeat(image, 3, axis=-1), label=label, steps=200)
    others = tf.cast(space.sampler(range(32), None if label is None else [label] * 32), tf.float32) / 255.0
    nearest = pixel_distance(tf.cast(image[None], tf.float32) / 255.0, others).numpy().min()
    assert nearest > 1e-4 and found.distance < 0.05 * nearest
    assert np.abs(found.image.astype(int) - image).mean() < 3
    np.testing.assert_array_equal(found.target, image)
    np.testing.assert_array_equal(space.draw(found.point.latent[None], label)[0], found.image)


def test_a_projection_uses_the_central_square(spaces):
    image = np.zeros((8, 20, 3), np.uint8)
    image[:, 6:14] = 255
    found = project(spaces["dcgan"], image, steps=1)
    assert found.target.shape == (16, 16, 1) and found.target.min() == 255


def test_latents_are_saved_and_read(spaces, tmp_path):
    space = spaces["dcgan_classes"]
    original = point(space, 3, 2)
    original.save(tmp_path / "one.npz")
    read = read_point(tmp_path / "one.npz", space)
    np.testing.assert_array_equal(read.latent, original.latent)
    assert (read.label, read.space) == (2, "z")
    for other, message in (("dcgan", "must have no labels"), ("tiny", r"must be z \[1, 48\]"), ("mapped", "must be w")):
        with pytest.raises(ValueError, match=message):
            read_point(tmp_path / "one.npz", spaces[other])


@pytest.mark.parametrize("content", [b"", b"no archive", b"PK\x03\x04 cut"], ids=["empty", "text", "cut"])
def test_a_damaged_file_of_latents_is_one_line(spaces, tmp_path, content):
    (tmp_path / "bad.npz").write_bytes(content)
    with pytest.raises(ValueError, match=r"Cannot read the latents '.*bad\.npz'") as caught:
        read_point(tmp_path / "bad.npz", spaces["tiny"])
    assert "\n" not in str(caught.value)


def test_latents_that_are_not_finite_are_refused(spaces, tmp_path):
    np.savez(tmp_path / "nan.npz", z=np.full((1, 48), np.nan, np.float32))
    with pytest.raises(ValueError, match="NaN or infinite"):
        read_point(tmp_path / "nan.npz", spaces["tiny"])


def test_a_mapping_network_makes_the_space_w(spaces):
    space = spaces["mapped"]
    assert (space.name, space.dim) == ("w", 4)
    np.testing.assert_allclose(space.points([3]), 2 * space.sampler.latents([3]), rtol=1e-6)
    np.testing.assert_array_equal(space.draw(space.points([3, 4])), space.sampler([3, 4]))
    start, end = space.points([3, 4])
    np.testing.assert_allclose(space.between(start, end, 3)[1], (start + end) / 2, rtol=1e-6)
    found = project(space, np.repeat(space.sampler([900])[0], 3, axis=-1), steps=150)
    assert found.distance < 1e-4 and found.point.space == "w"


def test_an_export_interpolates_but_has_no_layers(spaces, tmp_path):
    model = spaces["dcgan"].sampler.model
    exported = export_model(model, format="saved_model", output_dir=tmp_path, name="net").path
    space = LatentSpace(load_predictor(exported))
    walk = interpolation(space, [point(space, 1), point(space, 2)], count=3)
    original = spaces["dcgan"]
    same = interpolation(original, [point(original, 1), point(original, 2)], count=3)
    np.testing.assert_allclose(walk.images.astype(int), same.images.astype(int), atol=1)
    for call in (lambda: space.directions(1), lambda: project(space, np.zeros((4, 4, 3), np.uint8))):
        with pytest.raises(ValueError, match=r"needs the layers of the model: a run or a .keras file"):
            call()


@pytest.mark.parametrize("layer", [1, 3, 5])
@pytest.mark.parametrize("name", ["stylegan2", "stylegan2_classes"])
def test_mixed_styles_are_those_of_the_synthesis_network(spaces, name, layer):
    space, label = spaces[name], 1 if "classes" in name else None
    assert space.style_layers == 8
    row, column = (point(space, seed, label) for seed in (1, 2))
    grid = mixing_grid(space, [row], [column], layer=layer).images
    assert grid.shape == (2, 2, 16, 16, 1) and (grid[0, 0] == 255).all()
    np.testing.assert_array_equal(grid[:1, 1], space.draw(column.latent[None], label))
    np.testing.assert_array_equal(grid[1:, 0], space.draw(row.latent[None], label))
    synthesis = next(each for each in _models(space.sampler.model) if each.name == "synthesis")
    styles = np.repeat(np.stack([row.latent, column.latent])[:, None], 8, axis=1)
    expected = synthesis(np.concatenate([styles[:1, :layer], styles[1:, layer:]], axis=1), training=False)
    expected = np.rint(np.clip((np.asarray(expected) + 1) * 127.5, 0, 255)).astype(int)
    np.testing.assert_allclose(grid[1, 1][None], expected, atol=1)
    assert (
        np.abs(grid[1, 1].astype(int) - grid[1, 0]).max() > 2 and np.abs(grid[1, 1].astype(int) - grid[0, 1]).max() > 2
    )


def _models(model):
    yield model
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            yield from _models(layer)


def test_mixed_styles_are_truncated(spaces):
    space = spaces["stylegan2"]
    try:
        points = [LatentPoint(space.points([seed], None, 0.0)[0], None, "w") for seed in (1, 2)]
        grid = mixing_grid(space, points[:1], points[1:]).images
        np.testing.assert_array_equal(grid[1, 1], grid[1, 0])
    finally:
        space.points([1])


@pytest.mark.parametrize(("name", "label"), [("biggan", None), ("biggan_classes", 2)])
def test_hierarchical_latents_are_mixed_by_their_parts(spaces, name, label):
    space = spaces[name]
    assert space.style_layers == 4
    row, column = (point(space, seed, label) for seed in (1, 2))
    for layer, start in ((1, 2), (3, 6)):
        mixed = np.concatenate([row.latent[:start], column.latent[start:]])[None]
        grid = mixing_grid(space, [row], [column], layer=layer).images
        np.testing.assert_array_equal(grid[1, 1], space.draw(mixed, label)[0])


@pytest.mark.parametrize("name", ["tiny", "dcgan", "mlp_classes", "mapped"])
def test_generators_without_styles_are_not_mixed(spaces, name):
    space, label = spaces[name], 0 if "classes" in name else None
    with pytest.raises(ValueError, match="such as StyleGAN2 or BigGAN. This one has one input for all layers"):
        mixing_grid(space, [point(space, 1, label)], [point(space, 2, label)])


def test_a_crossover_lies_between_the_layers(spaces):
    space = spaces["stylegan2"]
    with pytest.raises(ValueError, match="must be from 1 to 7. Received: 8"):
        mixing_grid(space, [point(space, 1)], [point(space, 2)], layer=8)
