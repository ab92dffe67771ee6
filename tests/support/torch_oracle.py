"""Independent runtimes for the importers' tests: networks in PyTorch, spandrel and ncnn.

A program of its own, since PyTorch and TensorFlow do not share a process well:
`python torch_oracle.py CASE FOLDER` makes `weights.pth` of random weights, and `cases.npz` with `image_0`, `output_0`
and so on, float32 [1, height, width, channels] in [0, 1]. `python torch_oracle.py ncnn:STEM FOLDER` runs files of ncnn.
"""

from __future__ import annotations

import sys
import types
from pathlib import Path

import numpy as np

SIZES = ((33, 47), (24, 31), (64, 64))


def main(case: str, folder: str) -> None:
    path = Path(folder)
    arrays = _ncnn_cases(case.removeprefix("ncnn:")) if case.startswith("ncnn:") else _torch_cases(case, path)
    np.savez(path / "cases.npz", **arrays)


def _images(sizes=SIZES):
    rng = np.random.default_rng(1)
    for height, width in sizes:
        coarse = rng.random((height // 4 + 1, width // 4 + 1, 3))
        image = 0.8 * np.kron(coarse, np.ones((4, 4, 1)))[:height, :width] + 0.2 * rng.random((height, width, 3))
        yield image[None].astype(np.float32)


def _photographs(sizes):
    from PIL import Image

    files = sorted((Path(__file__).parents[2] / "data" / "photos" / "val").iterdir())
    for file, (height, width) in zip(files, sizes, strict=False):
        with Image.open(file) as image:
            yield np.asarray(image.convert("RGB").resize((width, height)), np.float32)[None] / 255


def _ncnn_cases(stem: str) -> dict:
    import ncnn

    net = ncnn.Net()
    net.opt.use_vulkan_compute = False
    for name in dir(net.opt):
        if name.startswith(("use_fp16", "use_bf16", "use_int8", "use_winograd")):
            setattr(net.opt, name, False)
    net.load_param(f"{stem}.param")
    net.load_model(f"{stem}.bin")
    arrays = {}
    for index, image in enumerate(_photographs(((33, 47), (24, 31)))):
        extractor = net.create_extractor()
        pixels = np.ascontiguousarray(image[0].transpose(2, 0, 1))
        extractor.input("data", ncnn.Mat(pixels).clone())  # Which would point to the array alone.
        _, output = extractor.extract("output")
        arrays[f"image_{index}"] = image
        arrays[f"output_{index}"] = np.clip(np.array(output).transpose(1, 2, 0)[None], 0, 1)
    return arrays


def _torch_cases(case: str, path: Path) -> dict:
    import torch

    torch.manual_seed(0)
    torch.set_grad_enabled(False)
    torch.set_num_threads(1)
    model, run, options = CASES[case]()
    _randomize(model)
    model.eval()
    options.get("prepare", lambda model: None)(model)
    if "last" in options:
        _spread(model, run, options["last"])
    state = options.get("save", lambda model: model.state_dict())(model)
    torch.save(state, path / "weights.pth", _use_new_zipfile_serialization=not options.get("legacy", False))
    if options.get("latents"):
        latents = torch.randn(4, options["latents"])
        return {"image_0": latents.numpy(), "output_0": _last(run(model, latents))}
    arrays = {}
    for index, image in enumerate(_images(options.get("sizes", SIZES))):
        arrays[f"image_{index}"] = image
        x = torch.from_numpy(image.transpose(0, 3, 1, 2).copy())
        output = run(model, x)
        scale = options.get("scale", 1)
        output = output[:, :, : image.shape[1] * scale, : image.shape[2] * scale]
        arrays[f"output_{index}"] = np.clip(_last(output), 0, 1)
    return arrays


def _spread(model, run, name: str) -> None:
    """Scales a last convolution so that outputs fill [0, 1], where a clip would hide what differs."""
    import torch

    module = model.get_submodule(name)
    image = torch.from_numpy(next(_images()).transpose(0, 3, 1, 2).copy())
    factor = 0.2 / float(run(model, image).std())
    module.weight *= factor
    if module.bias is not None:
        module.bias *= factor
        module.bias += 0.5 - float(run(model, image).mean())


def _last(x) -> np.ndarray:
    return x.numpy().transpose(0, 2, 3, 1)


def _randomize(model) -> None:
    """Makes of each kind of weight something that matters: gains near 1, biases near 0, statistics of a training."""
    import torch

    for name, tensor in [*model.named_parameters(), *model.named_buffers()]:
        if not tensor.is_floating_point():
            continue
        if name.endswith("running_var"):
            tensor.copy_(0.5 + torch.rand_like(tensor))
        elif name.endswith(("running_mean", "bias")):
            tensor.copy_(0.1 * torch.randn_like(tensor))
        elif name.endswith(("beta", "gamma")):
            tensor.copy_(0.5 * torch.randn_like(tensor))
        elif tensor.ndim <= 1 and name.endswith("weight"):
            if tensor.numel() and float(tensor.flatten()[0]) == 0.25:
                tensor.copy_(0.5 * torch.rand_like(tensor))
            else:
                tensor.copy_(1 + 0.2 * torch.randn_like(tensor))


def _spandrel():
    """spandrel, whose architectures ask for torchvision only where these networks do not."""
    try:
        import torchvision  # noqa: F401
    except ImportError:
        names = ("torchvision", "torchvision.transforms", "torchvision.transforms.functional", "torchvision.ops")
        for name in names:
            sys.modules[name] = types.ModuleType(name)
            sys.modules[name].__getattr__ = lambda attribute: type(attribute, (), {})
    from spandrel import architectures

    return architectures


def _plain(model, x):
    return model(x)


def _symmetric(model, x):
    return model(x * 2 - 1) * 0.5 + 0.5


def esrgan(**options):
    """A file of the first layout (spandrel's own), or of Real-ESRGAN's names."""

    def case():
        import importlib

        _spandrel()
        module = importlib.import_module("spandrel.architectures.ESRGAN")
        real = {"num_filters": 16, "num_blocks": 2, "scale": 4, **options["network"]}
        model = module.ESRGAN(**real)
        save = _real_esrgan_names if options.get("real") else (lambda model: model.state_dict())
        scale = real["scale"] // (real.get("shuffle_factor") or 1)
        return (
            model,
            _plain,
            {
                "save": save,
                "scale": scale,
                "last": f"model.{len(model.model) - 1}",
                "legacy": options.get("legacy", False),
            },
        )

    return case


def _real_esrgan_names(model) -> dict:
    """The same weights under the names of BasicSR, nested as Real-ESRGAN's releases are, in half precision."""
    import re

    state = model.state_dict()
    tail = sorted({int(name.split(".")[1]) for name in state if not name.startswith(("model.0.", "model.1."))})
    names = [*(f"conv_up{index + 1}" for index in range(len(tail) - 2)), "conv_hr", "conv_last"]
    renamed = {}
    for name, tensor in state.items():
        new = re.sub(r"model\.1\.sub\.(\d+)\.RDB(\d)\.conv(\d)\.0\.", r"body.\1.rdb\2.conv\3.", name)
        new = re.sub(r"^model\.0\.", "conv_first.", re.sub(r"model\.1\.sub\.\d+\.", "conv_body.", new))
        for number, word in zip(tail, names, strict=True):
            new = re.sub(rf"^model\.{number}\.", f"{word}.", new)
        renamed[f"module.{new}"] = tensor
    return {"params": {}, "params_ema": renamed, "iter": 3}


def srvgg(scale=4, slope=None):
    def case():
        from importlib import import_module

        _spandrel()
        model = import_module("spandrel.architectures.Compact").Compact(num_feat=16, num_conv=3, upscale=scale)

        def prepare(model):
            if slope is not None:
                model.body[1].weight[0] = slope

        return model, _plain, {"save": lambda m: {"params": m.state_dict()}, "scale": scale, "prepare": prepare}

    return case


def span(scale=4, norm=True, merged=False):
    def case():
        from importlib import import_module

        _spandrel()
        model = import_module("spandrel.architectures.SPAN").SPAN(
            num_in_ch=3, num_out_ch=3, feature_channels=12, upscale=scale, norm=norm
        )

        def save(model):
            state = model.state_dict()
            return (
                {k: v for k, v in state.items() if "eval_conv" in k or "conv_cat" in k or "upsam" in k}
                if merged
                else state
            )

        def prepare(model):
            for module in model.modules():
                if hasattr(module, "update_params"):
                    module.update_params()

        return model, _plain, {"save": save, "scale": scale, "prepare": prepare, "last": "upsampler.0"}

    return case


def cyclegan(norm="instance", blocks=6, dropout=False, batch_statistics=False, taken=3, given=3, nearest=False):
    def case():
        import torch
        from torch import nn

        def normed(channels):
            if norm == "batch":
                return nn.BatchNorm2d(channels)
            return nn.InstanceNorm2d(channels, affine=norm == "affine")

        bias = norm != "batch"

        class Block(nn.Module):
            def __init__(self, width):
                super().__init__()
                rest = [nn.Dropout(0.5)] if dropout else []
                self.conv_block = nn.Sequential(
                    *[nn.ReflectionPad2d(1), nn.Conv2d(width, width, 3, bias=bias), normed(width), nn.ReLU(True)],
                    *[*rest, nn.ReflectionPad2d(1), nn.Conv2d(width, width, 3, bias=bias), normed(width)],
                )

            def forward(self, x):
                return x + self.conv_block(x)

        class Generator(nn.Module):
            def __init__(self, width=8):
                super().__init__()
                rows = [nn.ReflectionPad2d(3), nn.Conv2d(taken, width, 7, bias=bias), normed(width), nn.ReLU(True)]
                for factor in (1, 2):
                    halving = nn.Conv2d(width * factor, width * factor * 2, 3, 2, 1, bias=bias)
                    rows += [halving, normed(width * factor * 2), nn.ReLU(True)]
                rows += [Block(width * 4) for _ in range(blocks)]
                for factor in (4, 2):
                    given_width = width * factor // 2
                    up = nn.ConvTranspose2d(width * factor, given_width, 3, 2, 1, output_padding=1, bias=bias)
                    ups = [nn.Upsample(scale_factor=2), nn.Conv2d(width * factor, given_width, 3, padding=1)]
                    rows += [*(ups if nearest else [up]), normed(given_width), nn.ReLU(True)]
                rows += [nn.ReflectionPad2d(3), nn.Conv2d(width, given, 7), nn.Tanh()]
                self.model = nn.Sequential(*rows)

            def forward(self, x):
                return self.model(x)

        def run(model, x):
            if taken == 1:
                x = (x * torch.tensor([0.299, 0.587, 0.114]).reshape(1, 3, 1, 1)).sum(1, keepdim=True)
            return _symmetric(model, x)

        return Generator(), run, {"prepare": lambda model: model.train(batch_statistics)}

    return case


def pix2pix(norm="batch", depth=5, batch_statistics=False):
    def case():
        import torch
        from torch import nn

        def normed(channels):
            return nn.BatchNorm2d(channels) if norm == "batch" else nn.InstanceNorm2d(channels)

        bias = norm != "batch"

        class Block(nn.Module):
            def __init__(self, outer, inner, taken=None, submodule=None, outermost=False):
                super().__init__()
                self.outermost = outermost
                down = nn.Conv2d(taken or outer, inner, 4, 2, 1, bias=bias)
                if outermost:
                    up = nn.ConvTranspose2d(inner * 2, outer, 4, 2, 1)
                    rows = [nn.Conv2d(taken, inner, 4, 2, 1), submodule, nn.ReLU(True), up, nn.Tanh()]
                elif submodule is None:
                    up = nn.ConvTranspose2d(inner, outer, 4, 2, 1, bias=bias)
                    rows = [nn.LeakyReLU(0.2, True), down, nn.ReLU(True), up, normed(outer)]
                else:
                    up = nn.ConvTranspose2d(inner * 2, outer, 4, 2, 1, bias=bias)
                    rows = [nn.LeakyReLU(0.2, True), down, normed(inner), submodule, nn.ReLU(True), up, normed(outer)]
                    rows += [nn.Dropout(0.5)] if outer == inner else []
                self.model = nn.Sequential(*rows)

            def forward(self, x):
                return self.model(x) if self.outermost else torch.cat([x, self.model(x)], 1)

        block = Block(32, 32)
        for _ in range(depth - 4):
            block = Block(32, 32, submodule=block)
        for outer in (16, 8):
            block = Block(outer, outer * 2, submodule=block)
        model = nn.Module()
        model.model = Block(3, 8, taken=3, submodule=block, outermost=True)

        def run(model, x):
            height, width = (-(-size // 2**depth) * 2**depth for size in x.shape[2:])
            pad = nn.functional.pad(x, (0, width - x.shape[3], 0, height - x.shape[2]), "reflect")
            return _symmetric(model.model, pad)

        def prepare(model):
            for module in model.modules():
                module.train(batch_statistics and isinstance(module, nn.BatchNorm2d))

        sizes = ((33, 47), (40, 31), (64, 64))
        return model, run, {"prepare": prepare, "sizes": sizes, "save": lambda m: m.state_dict()}

    return case


def fast_style():
    from torch import nn

    class Convolution(nn.Module):
        def __init__(self, taken, given, kernel, stride=1, enlarge=False):
            super().__init__()
            self.enlarge, self.pad = enlarge, nn.ReflectionPad2d(kernel // 2)
            self.conv2d = nn.Conv2d(taken, given, kernel, stride)

        def forward(self, x):
            x = nn.functional.interpolate(x, scale_factor=2, mode="nearest") if self.enlarge else x
            return self.conv2d(self.pad(x))

    class Residual(nn.Module):
        def __init__(self, width):
            super().__init__()
            self.conv1, self.in1 = Convolution(width, width, 3), nn.InstanceNorm2d(width, affine=True)
            self.conv2, self.in2 = Convolution(width, width, 3), nn.InstanceNorm2d(width, affine=True)

        def forward(self, x):
            return self.in2(self.conv2(self.in1(self.conv1(x)).relu())) + x

    class Network(nn.Module):
        def __init__(self, width=8):
            super().__init__()
            self.conv1, self.in1 = Convolution(3, width, 9), nn.InstanceNorm2d(width, affine=True)
            self.conv2, self.in2 = Convolution(width, width * 2, 3, 2), nn.InstanceNorm2d(width * 2, affine=True)
            self.conv3, self.in3 = Convolution(width * 2, width * 4, 3, 2), nn.InstanceNorm2d(width * 4, affine=True)
            for index in range(1, 6):
                setattr(self, f"res{index}", Residual(width * 4))
            self.deconv1 = Convolution(width * 4, width * 2, 3, enlarge=True)
            self.in4 = nn.InstanceNorm2d(width * 2, affine=True)
            self.deconv2, self.in5 = (
                Convolution(width * 2, width, 3, enlarge=True),
                nn.InstanceNorm2d(width, affine=True),
            )
            self.deconv3 = Convolution(width, 3, 9)

        def forward(self, x):
            for index in (1, 2, 3):
                x = getattr(self, f"in{index}")(getattr(self, f"conv{index}")(x)).relu()
            for index in range(1, 6):
                x = getattr(self, f"res{index}")(x)
            x = self.in5(self.deconv2(self.in4(self.deconv1(x)).relu())).relu()
            return self.deconv3(x)

    def prepare(model):
        model.deconv3.conv2d.weight *= 60
        model.deconv3.conv2d.bias += 128

    return Network(), lambda model, x: model(x * 255) / 255, {"prepare": prepare}


def dncnn(mode="R", channels=3, fdncnn=False):
    def case():
        from importlib import import_module

        import torch

        _spandrel()
        model = import_module("spandrel.architectures.DnCNN").DnCNN(
            in_nc=channels + fdncnn, out_nc=channels, nc=12, nb=9, act_mode=mode, mode="FDnCNN" if fdncnn else "DnCNN"
        )

        def run(model, x):
            told = lambda x: torch.cat([x, torch.full_like(x[:, :1], 25 / 255)], 1) if fdncnn else x  # noqa: E731
            if channels == 3:
                return model(told(x))
            return torch.cat([model(told(x[:, index : index + 1])) for index in range(3)], 1)

        return model, run, {"legacy": True} | ({"last": f"model.{len(model.model) - 1}"} if fdncnn else {})

    return case


def ffdnet():
    import torch
    from torch import nn

    rows = [nn.Conv2d(13, 12, 3, padding=1), nn.ReLU()]
    for _ in range(4):
        rows += [nn.Conv2d(12, 12, 3, padding=1), nn.ReLU()]
    rows += [nn.Conv2d(12, 12, 3, padding=1)]
    model = nn.Module()
    model.model = nn.Sequential(*rows)

    def run(model, x):
        height, width = x.shape[2:]
        padded = nn.functional.pad(x, (0, width % 2, 0, height % 2), "replicate")
        small = nn.functional.pixel_unshuffle(padded, 2)
        told = torch.cat([small, torch.full_like(small[:, :1], 25 / 255)], 1)
        return nn.functional.pixel_shuffle(model.model(told), 2)

    return model, run, {"last": "model.10"}


def drunet():
    from importlib import import_module

    import torch
    from torch import nn

    _spandrel()
    model = import_module("spandrel.architectures.DRUNet").DRUNet(in_nc=4, out_nc=3, nc=[8, 16, 32, 64], nb=2)

    def run(model, x):
        height, width = x.shape[2:]
        x = nn.functional.pad(x, (0, -width % 8, 0, -height % 8), "reflect")
        return model(torch.cat([x, torch.full_like(x[:, :1], 25 / 255)], 1))

    return model, run, {"last": "m_tail"}


def nafnet():
    from importlib import import_module

    _spandrel()
    model = import_module("spandrel.architectures.NAFNet").NAFNet(
        img_channel=3, width=8, middle_blk_num=1, enc_blk_nums=[1, 2], dec_blk_nums=[1, 1]
    )
    return model, _plain, {}


def dcgan():
    from torch import nn

    widths, rows = (100, 64, 32, 16), []
    for level in range(3):
        first = {"stride": 2, "padding": 1} if level else {}
        rows += [nn.ConvTranspose2d(widths[level], widths[level + 1], 4, bias=False, **first)]
        rows += [nn.BatchNorm2d(widths[level + 1]), nn.ReLU(True)]
    rows += [nn.ConvTranspose2d(16, 3, 4, 2, 1, bias=False), nn.Tanh()]
    model = nn.Module()
    model.main = nn.Sequential(*rows)
    return model, lambda model, x: model.main(x[:, :, None, None]) * 0.5 + 0.5, {"latents": 100}


def msrresnet(scale=4):
    def case():
        from torch import nn

        class Block(nn.Module):
            def __init__(self):
                super().__init__()
                self.conv1, self.conv2 = (nn.Conv2d(16, 16, 3, 1, 1) for _ in range(2))

            def forward(self, x):
                return x + self.conv2(self.conv1(x).relu())

        class Network(nn.Module):
            def __init__(self):
                super().__init__()
                self.conv_first = nn.Conv2d(3, 16, 3, 1, 1)
                self.body = nn.Sequential(*[Block() for _ in range(3)])
                factors = {2: (2,), 3: (3,), 4: (2, 2)}[scale]
                for index, factor in enumerate(factors, 1):
                    setattr(self, f"upconv{index}", nn.Conv2d(16, 16 * factor**2, 3, 1, 1))
                self.conv_hr, self.conv_last = nn.Conv2d(16, 16, 3, 1, 1), nn.Conv2d(16, 3, 3, 1, 1)
                self.factors = factors

            def forward(self, x):
                leaky = nn.LeakyReLU(0.1)
                y = self.body(leaky(self.conv_first(x)))
                for index, factor in enumerate(self.factors, 1):
                    y = leaky(nn.functional.pixel_shuffle(getattr(self, f"upconv{index}")(y), factor))
                y = self.conv_last(leaky(self.conv_hr(y)))
                return y + nn.functional.interpolate(x, scale_factor=scale, mode="bilinear", align_corners=False)

        return Network(), _plain, {"scale": scale}

    return case


def edsr(width=16, scale=4):
    def case():
        import torch
        from torch import nn

        mean = torch.tensor((0.4488, 0.4371, 0.4040)) * 255

        class Mean(nn.Conv2d):
            def __init__(self, sign):
                super().__init__(3, 3, 1)
                self.sign = sign

        class Block(nn.Module):
            def __init__(self):
                super().__init__()
                self.body = nn.Sequential(nn.Conv2d(width, width, 3, 1, 1), nn.ReLU(), nn.Conv2d(width, width, 3, 1, 1))

            def forward(self, x):
                return x + self.body(x) * (0.1 if width >= 256 else 1.0)

        class Network(nn.Module):
            def __init__(self):
                super().__init__()
                self.sub_mean, self.add_mean = Mean(-1), Mean(1)
                self.head = nn.Sequential(nn.Conv2d(3, width, 3, 1, 1))
                self.body = nn.Sequential(*[Block() for _ in range(2)], nn.Conv2d(width, width, 3, 1, 1))
                ups = [nn.Conv2d(width, width * 4, 3, 1, 1), nn.PixelShuffle(2)] * 1
                if scale == 4:
                    ups += [nn.Conv2d(width, width * 4, 3, 1, 1), nn.PixelShuffle(2)]
                if scale == 3:
                    ups = [nn.Conv2d(width, width * 9, 3, 1, 1), nn.PixelShuffle(3)]
                self.tail = nn.Sequential(nn.Sequential(*ups), nn.Conv2d(width, 3, 3, 1, 1))

            def forward(self, x):
                y = self.head(self.sub_mean(x))
                return self.add_mean(self.tail(y + self.body(y)))

        def prepare(model):
            for module in (model.sub_mean, model.add_mean):
                module.weight.copy_(torch.eye(3).reshape(3, 3, 1, 1))
                module.bias.copy_(module.sign * mean)

        return Network(), lambda model, x: model(x * 255) / 255, {"prepare": prepare, "scale": scale, "last": "tail.1"}

    return case


def srresnet():
    from torch import nn

    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            convolutions = [nn.Conv2d(16, 16, 3, 1, 1, bias=False) for _ in range(2)]
            norms = [nn.BatchNorm2d(16) for _ in range(2)]
            self.rcb = nn.Sequential(convolutions[0], norms[0], nn.PReLU(), convolutions[1], norms[1])

        def forward(self, x):
            return x + self.rcb(x)

    class Enlarging(nn.Module):
        def __init__(self):
            super().__init__()
            self.upsample_block = nn.Sequential(nn.Conv2d(16, 64, 3, 1, 1), nn.PixelShuffle(2), nn.PReLU())

        def forward(self, x):
            return self.upsample_block(x)

    class Network(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv1 = nn.Sequential(nn.Conv2d(3, 16, 9, 1, 4), nn.PReLU())
            self.trunk = nn.Sequential(*[Block() for _ in range(3)])
            self.conv2 = nn.Sequential(nn.Conv2d(16, 16, 3, 1, 1, bias=False), nn.BatchNorm2d(16))
            self.upsampling = nn.Sequential(Enlarging(), Enlarging())
            self.conv3 = nn.Conv2d(16, 3, 9, 1, 4)

        def forward(self, x):
            y = self.conv1(x)
            return self.conv3(self.upsampling(y + self.conv2(self.trunk(y))))

    return (
        Network(),
        _plain,
        {"scale": 4, "last": "conv3", "save": lambda model: {"epoch": 3, "state_dict": model.state_dict()}},
    )


def srgan():
    from torch import nn

    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv1, self.bn1, self.prelu = nn.Conv2d(16, 16, 3, 1, 1), nn.BatchNorm2d(16), nn.PReLU()
            self.conv2, self.bn2 = nn.Conv2d(16, 16, 3, 1, 1), nn.BatchNorm2d(16)

        def forward(self, x):
            return x + self.bn2(self.conv2(self.prelu(self.bn1(self.conv1(x)))))

    class Enlarging(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv, self.pixel_shuffle, self.prelu = nn.Conv2d(16, 64, 3, 1, 1), nn.PixelShuffle(2), nn.PReLU()

        def forward(self, x):
            return self.prelu(self.pixel_shuffle(self.conv(x)))

    class Network(nn.Module):
        def __init__(self):
            super().__init__()
            self.block1 = nn.Sequential(nn.Conv2d(3, 16, 9, 1, 4), nn.PReLU())
            for index in range(2, 7):
                setattr(self, f"block{index}", Block())
            self.block7 = nn.Sequential(nn.Conv2d(16, 16, 3, 1, 1), nn.PReLU())
            self.block8 = nn.Sequential(Enlarging(), Enlarging(), nn.Conv2d(16, 3, 9, 1, 4))

        def forward(self, x):
            y = first = self.block1(x)
            for index in range(2, 8):
                y = getattr(self, f"block{index}")(y)
            return (self.block8(first + y).tanh() + 1) / 2

    return Network(), _plain, {"scale": 4}


CASES = {
    "esrgan_old": esrgan(network={}, legacy=True),
    "esrgan_old_x1": esrgan(network={"scale": 1}),
    "esrgan_old_x2": esrgan(network={"scale": 2}),
    "esrgan_old_x8": esrgan(network={"scale": 8}),
    "realesrgan_x4": esrgan(network={}, real=True),
    "realesrgan_x2": esrgan(network={"in_nc": 12, "shuffle_factor": 2}, real=True),
    "realesrgan_x1": esrgan(network={"in_nc": 48, "shuffle_factor": 4}, real=True),
    "srvgg_x4": srvgg(),
    "srvgg_x2": srvgg(scale=2),
    "srvgg_x1": srvgg(scale=1),
    "srvgg_steep": srvgg(slope=1.5),
    "span_x4": span(),
    "span_x2_merged": span(scale=2, merged=True),
    "span_no_norm": span(norm=False),
    "cyclegan_instance_6": cyclegan(),
    "cyclegan_affine_9": cyclegan(norm="affine", blocks=9),
    "cyclegan_dropout": cyclegan(dropout=True),
    "cyclegan_nearest": cyclegan(nearest=True),
    "cyclegan_batch": cyclegan(norm="batch"),
    "cyclegan_batch_statistics": cyclegan(norm="batch", batch_statistics=True),
    "cyclegan_gray_to_color": cyclegan(taken=1),
    "pix2pix_batch": pix2pix(),
    "pix2pix_batch_statistics": pix2pix(batch_statistics=True),
    "pix2pix_instance": pix2pix(norm="instance"),
    "msrresnet_x4": msrresnet(),
    "msrresnet_x3": msrresnet(scale=3),
    "edsr_x4": edsr(),
    "edsr_x3": edsr(scale=3),
    "edsr_wide": edsr(width=256, scale=2),
    "srresnet": srresnet,
    "srgan": srgan,
    "dncnn_color": dncnn(),
    "dncnn_gray_norm": dncnn(mode="BR", channels=1),
    "fdncnn": dncnn(fdncnn=True),
    "ffdnet": ffdnet,
    "drunet": drunet,
    "nafnet": nafnet,
    "dcgan": dcgan,
    "fast_style": fast_style,
}
"""Case -> function that makes (model, (model, x in [0, 1]) -> output in [0, 1], options)."""


if __name__ == "__main__":
    main(*sys.argv[1:])
