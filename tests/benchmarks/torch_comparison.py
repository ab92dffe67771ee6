"""Images per second of this package's train steps and of the same recipes in PyTorch, side by side in one run.

python tests/benchmarks/torch_comparison.py [--recipes pix2pix cyclegan dcgan] [--precisions float32 bfloat16]

Needs `torch` (a CPU build will do) in this or another environment: `--torch-python PATH` names the other's interpreter.
Each side is a process of its own that waits while the other measures. Rounds alternate and the best step counts,
so that a busy moment of the machine hits neither side alone. Both train the networks of the papers on random images:

- pix2pix: U-Net of 8 levels, 70 px PatchGAN, batch norm, cross-entropy + 100 L1, 256 px (Isola et al. 2017);
- cyclegan: ResNet-9 and 70 px PatchGAN both ways, instance norm, least squares, cycle 10, identity 5, 256 px (Zhu et
  al. 2017);
- dcgan: width 64, 64 px, batch norm, cross-entropy (Radford et al. 2016).

Where this package's networks deviate (see their docstrings), it trains its own.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable

BATCHES = {"pix2pix": (1, 4), "cyclegan": (1,), "dcgan": (64,)}
WARM_UP_STEPS = 2


def main():
    """Prints one row for each recipe, batch and precision; `--worker` is one side of it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--recipes", nargs="+", choices=BATCHES, default=list(BATCHES))
    parser.add_argument("--precisions", nargs="+", choices=("float32", "bfloat16"), default=["float32", "bfloat16"])
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--seconds", type=float, default=6.0, help="of each round of each side")
    parser.add_argument("--torch-python", default=sys.executable)
    parser.add_argument("--worker", nargs=4, metavar=("SIDE", "RECIPE", "BATCH", "PRECISION"), help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.worker:
        _work(*args.worker)
        return
    print(f"{'recipe':10} {'batch':>5} {'precision':>9} {'PyTorch':>9} {'tfgan_app':>9}  ratio   (images/s)")
    for recipe in args.recipes:
        for batch in BATCHES[recipe]:
            for precision in args.precisions:
                theirs, ours = _compare(recipe, batch, precision, args)
                print(
                    f"{recipe:10} {batch:5} {precision:>9} {theirs:9.3f} {ours:9.3f}  {ours / theirs:.2f}", flush=True
                )


def _compare(recipe: str, batch: int, precision: str, args: argparse.Namespace) -> tuple[float, float]:
    """Best images per second of PyTorch and of this package."""
    interpreters = {"torch": args.torch_python, "tfgan_app": sys.executable}
    workers, best = {}, dict.fromkeys(interpreters, 0.0)
    try:
        for side, python in interpreters.items():
            command = [python, __file__, "--worker", side, recipe, str(batch), precision]
            workers[side] = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            _answer(workers[side], side)  # It has built its networks and made its first steps.
        for _ in range(args.rounds):
            for side, worker in workers.items():
                worker.stdin.write(f"{args.seconds}\n")
                worker.stdin.flush()
                best[side] = max(best[side], _answer(worker, side))
    finally:
        for worker in workers.values():
            worker.stdin.close()
            worker.wait()
    return best["torch"], best["tfgan_app"]


def _answer(worker: subprocess.Popen, side: str) -> float:
    line = worker.stdout.readline()
    if not line:
        raise SystemExit(f"The side {side} has failed; its error is above.")
    return json.loads(line)


def _work(side: str, recipe: str, batch: str, precision: str) -> None:
    """One side: for each line with seconds on stdin, a line with images per second of its best step."""
    step = {"torch": _torch_step, "tfgan_app": _own_step}[side](recipe, int(batch), precision)
    for _ in range(WARM_UP_STEPS):
        step()
    print(0.0, flush=True)
    for line in sys.stdin:
        best, end = float("inf"), time.perf_counter() + float(line)
        while time.perf_counter() < end:
            start = time.perf_counter()
            step()
            best = min(best, time.perf_counter() - start)
        print(int(batch) / best, flush=True)


def _own_step(recipe: str, batch: int, precision: str) -> Callable[[], object]:
    """The train step as the command compiles it, over a batch of random images that is ready in memory."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import numpy as np
    import tensorflow as tf

    from tfgan_app.commands.building import build_trainer
    from tfgan_app.config import resolve_config
    from tfgan_app.tasks import load_task

    presets = {
        "pix2pix": ("translate", "pix2pix"),
        "cyclegan": ("translate", "cyclegan_paper"),
        "dcgan": ("generate", "default"),
    }
    task_name, preset = presets[recipe]
    task_class = load_task(task_name)
    overrides = [
        f"training.batch_size={batch}",
        "training.precision=" + {"bfloat16": "mixed_bfloat16"}.get(precision, precision),
    ]
    if recipe == "dcgan":
        settings = {
            "generator_width": 64,
            "discriminator_width": 64,
            "latent_dim": 100,
            "r1_weight": 0,
            "augmentation": "none",
        }
        overrides += ["data.image_size=64", "task.adversarial_loss=non_saturating", "task.colors=rgb"]
        overrides += [f"task.{name}={value}" for name, value in settings.items()]
    config = resolve_config(task_name, task_class.config_class, preset=task_class.presets[preset], overrides=overrides)
    task = task_class(config)
    trainer = build_trainer(task, config, strategy=tf.distribute.get_strategy())
    size = round(config.data.image_size * config.data.load_scale)
    rng = np.random.default_rng(0)
    names = ("image",) if recipe == "dcgan" else ("input", "target")
    arrays = {name: rng.integers(0, 256, (batch, size, size, 3), np.uint8) for name in names}
    arrays |= {"position": np.arange(batch), "label": np.zeros(batch, np.int32)}
    trainer.make_train_function()
    endless = iter(tf.data.Dataset.from_tensors(arrays).repeat())
    return lambda: trainer.train_function(endless)


def _torch_step(recipe: str, batch: int, precision: str) -> Callable[[], object]:
    """The recipe in plain PyTorch, as its papers' reference implementations train it."""
    if importlib.util.find_spec("torch") is None:
        raise SystemExit("There is no torch here: `pip install torch`, or name an interpreter with --torch-python.")
    import torch

    torch.manual_seed(0)
    torch.set_num_threads(os.cpu_count() or 1)
    autocast = torch.autocast("cpu", torch.bfloat16, enabled=precision == "bfloat16")
    return {"pix2pix": _torch_pix2pix, "cyclegan": _torch_cyclegan, "dcgan": _torch_dcgan}[recipe](batch, autocast)


def _torch_unet():
    from torch import cat, nn

    class Level(nn.Module):
        """One level of the U-Net: halve, go deeper, double, and put the input beside the result."""

        def __init__(self, outer: int, inner: int, deeper: nn.Module | None, *, dropout: bool):
            super().__init__()
            self.down = nn.Sequential(nn.LeakyReLU(0.2), nn.Conv2d(outer, inner, 4, 2, 1, bias=False))
            self.norm = nn.BatchNorm2d(inner) if deeper is not None else nn.Identity()
            self.deeper = deeper or nn.Identity()
            width = inner if deeper is None else 2 * inner
            up = [nn.ReLU(), nn.ConvTranspose2d(width, outer, 4, 2, 1, bias=False), nn.BatchNorm2d(outer)]
            self.up = nn.Sequential(*up, *([nn.Dropout(0.5)] if dropout else []))

        def forward(self, x):
            return cat([x, self.up(self.deeper(self.norm(self.down(x))))], dim=1)

    level = None
    for outer, inner, dropout in (
        (512, 512, False),
        *[(512, 512, True)] * 3,
        *((w, 2 * w, False) for w in (256, 128, 64)),
    ):
        level = Level(outer, inner, level, dropout=dropout)
    return nn.Sequential(nn.Conv2d(3, 64, 4, 2, 1), level, nn.ReLU(), nn.ConvTranspose2d(128, 3, 4, 2, 1), nn.Tanh())


def _torch_patchgan(channels: int, norm):
    from torch import nn

    stages = [nn.Conv2d(channels, 64, 4, 2, 1), nn.LeakyReLU(0.2)]
    for inputs, outputs, stride in ((64, 128, 2), (128, 256, 2), (256, 512, 1)):
        stages += [nn.Conv2d(inputs, outputs, 4, stride, 1), norm(outputs), nn.LeakyReLU(0.2)]
    return nn.Sequential(*stages, nn.Conv2d(512, 1, 4, 1, 1))


def _torch_resnet9():
    from torch import nn

    norm = nn.InstanceNorm2d

    class Block(nn.Module):
        def __init__(self, width: int):
            super().__init__()
            self.branch = nn.Sequential(
                *(nn.ReflectionPad2d(1), nn.Conv2d(width, width, 3), norm(width), nn.ReLU()),
                *(nn.ReflectionPad2d(1), nn.Conv2d(width, width, 3), norm(width)),
            )

        def forward(self, x):
            return x + self.branch(x)

    down = [nn.Conv2d(64, 128, 3, 2, 1), norm(128), nn.ReLU(), nn.Conv2d(128, 256, 3, 2, 1), norm(256), nn.ReLU()]
    up = []
    for width in (256, 128):
        up += [nn.ConvTranspose2d(width, width // 2, 3, 2, 1, output_padding=1), norm(width // 2), nn.ReLU()]
    return nn.Sequential(
        *(nn.ReflectionPad2d(3), nn.Conv2d(3, 64, 7), norm(64), nn.ReLU(), *down),
        *(Block(256) for _ in range(9)),
        *(*up, nn.ReflectionPad2d(3), nn.Conv2d(64, 3, 7), nn.Tanh()),
    )


def _adam(*modules):
    import torch

    return torch.optim.Adam([p for module in modules for p in module.parameters()], lr=2e-4, betas=(0.5, 0.999))


def _learns(modules, learns: bool) -> None:
    for module in modules:
        module.requires_grad_(learns)


def _cross_entropy(logits, target: float):
    from torch.nn.functional import binary_cross_entropy_with_logits

    return binary_cross_entropy_with_logits(logits.float(), logits.new_full(logits.shape, target).float())


def _update(optimizer, loss) -> None:
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()


def _torch_pix2pix(batch: int, autocast):
    import torch
    from torch import nn

    generator, discriminator = _torch_unet(), _torch_patchgan(6, nn.BatchNorm2d)
    optimizers = _adam(generator), _adam(discriminator)
    source, target = torch.rand(2, batch, 3, 256, 256) * 2 - 1

    def step():
        with autocast:
            fake = generator(source)
            _learns([discriminator], True)
            judged = [discriminator(torch.cat([source, image], 1)) for image in (target, fake.detach())]
            loss = 0.5 * (_cross_entropy(judged[0], 1.0) + _cross_entropy(judged[1], 0.0))
        _update(optimizers[1], loss)
        _learns([discriminator], False)
        with autocast:
            loss = _cross_entropy(discriminator(torch.cat([source, fake], 1)), 1.0)
            loss = loss + 100.0 * (fake.float() - target).abs().mean()
        _update(optimizers[0], loss)

    return step


def _torch_cyclegan(batch: int, autocast):
    import torch
    from torch import nn

    there, back = _torch_resnet9(), _torch_resnet9()
    judges = _torch_patchgan(3, nn.InstanceNorm2d), _torch_patchgan(3, nn.InstanceNorm2d)
    optimizers = _adam(there, back), _adam(*judges)
    a, b = torch.rand(2, batch, 3, 256, 256) * 2 - 1

    def squared(logits, target):
        return (logits.float() - target).square().mean()

    def l1(x, y):
        return (x.float() - y).abs().mean()

    def step():
        _learns(judges, False)
        with autocast:
            fake_b, fake_a = there(a), back(b)
            loss = squared(judges[1](fake_b), 1.0) + squared(judges[0](fake_a), 1.0)
            loss = loss + 10.0 * (l1(back(fake_b), a) + l1(there(fake_a), b))
            loss = loss + 5.0 * (l1(there(b), b) + l1(back(a), a))
        _update(optimizers[0], loss)
        _learns(judges, True)
        with autocast:
            loss = 0.0
            for judge, real, fake in ((judges[0], a, fake_a), (judges[1], b, fake_b)):
                loss = loss + 0.5 * (squared(judge(real), 1.0) + squared(judge(fake.detach()), 0.0))
        _update(optimizers[1], loss)

    return step


def _torch_dcgan(batch: int, autocast):
    import torch
    from torch import nn

    up = [nn.ConvTranspose2d(100, 512, 4, 1, 0, bias=False), nn.BatchNorm2d(512), nn.ReLU()]
    for width in (512, 256, 128):
        up += [nn.ConvTranspose2d(width, width // 2, 4, 2, 1, bias=False), nn.BatchNorm2d(width // 2), nn.ReLU()]
    generator = nn.Sequential(*up, nn.ConvTranspose2d(64, 3, 4, 2, 1, bias=False), nn.Tanh())
    down = [nn.Conv2d(3, 64, 4, 2, 1), nn.LeakyReLU(0.2)]
    for width in (64, 128, 256):
        down += [nn.Conv2d(width, 2 * width, 4, 2, 1, bias=False), nn.BatchNorm2d(2 * width), nn.LeakyReLU(0.2)]
    discriminator = nn.Sequential(*down, nn.Conv2d(512, 1, 4, 1, 0, bias=False))
    optimizers = _adam(generator), _adam(discriminator)
    real = torch.rand(batch, 3, 64, 64) * 2 - 1

    def step():
        with autocast:
            fake = generator(torch.randn(batch, 100, 1, 1))
            loss = _cross_entropy(discriminator(real), 1.0) + _cross_entropy(discriminator(fake.detach()), 0.0)
        _update(optimizers[1], loss)
        with autocast:
            loss = _cross_entropy(discriminator(fake), 1.0)
        _update(optimizers[0], loss)

    return step


if __name__ == "__main__":
    main()
