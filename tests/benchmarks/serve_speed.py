"""What `tfgan_app serve` costs: its throughput against calling the loaded SavedModel in a loop, and its memory.

python tests/benchmarks/serve_speed.py --model exported_models/upscale_x4 [--sizes 64 512] [--clients 1 8 32]
python tests/benchmarks/serve_speed.py --model exported_models/upscale_x4 --memory-requests 20000

The loop, the server and the clients are a process each. All clients are in one process that knows no TensorFlow, and
share this machine's cores with the server. The loop calls the same signature with the same image, one call at a time,
in rounds that alternate with those of the server. Each protocol is measured with encoded files (`serving_default`, PNG
in and out), gRPC also with uint8 tensors (`tensor`). `--cheap` exports a model that does next to nothing and measures
it, so that only the server's own work is left.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import contextlib
import io
import json
import multiprocessing
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import aiohttp
import grpc
import numpy as np
from PIL import Image

CASES = (("rest", "serving_default"), ("grpc", "serving_default"), ("grpc", "tensor"))
PREDICT = "/tensorflow.serving.PredictionService/Predict"


def main():
    """Prints a row for each protocol, size and number of clients, or the memory over many requests."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, default=Path("exported_models/upscale_x4"), help="NAME, with versions")
    parser.add_argument("--cheap", action="store_true", help="a model that does next to nothing instead")
    parser.add_argument("--sizes", type=int, nargs="+", default=[64, 512])
    parser.add_argument("--clients", type=int, nargs="+", default=[1, 8, 32])
    parser.add_argument("--seconds", type=float, default=5.0, help="of each round")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--memory-requests", type=int, help="send so many and print the memory instead")
    parser.add_argument("--serve-flags", nargs=argparse.REMAINDER, default=[], help="passed on to `serve`")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        model = export_cheap(Path(folder)) if args.cheap else args.model
        with running_server(model, args.serve_flags) as server:
            print(f"{model.name}, {os.cpu_count()} CPUs, {' '.join(args.serve_flags)}", flush=True)
            if args.memory_requests:
                print_memory(server, model.name, args)
            else:
                print_throughput(server, model, args)


def print_throughput(server, model, args):
    """Rounds of the loop and of the server side by side; the ratio is of their medians."""
    with contextlib.ExitStack() as stack:
        for size_px in args.sizes:
            for protocol, signature in CASES:
                ask_loop = stack.enter_context(in_process(loop_worker, model, signature, size_px))
                for clients in args.clients:
                    load = load_of(server, model.name, protocol, signature, size_px)
                    loop_rates, server_rates = [], []
                    for _ in range(args.rounds):
                        loop_rates.append(ask_loop(args.seconds))
                        with in_process(client_worker, load, clients) as ask_clients:
                            server_rates.append(ask_clients(args.seconds))
                    loop_rate, server_rate = statistics.median(loop_rates), statistics.median(server_rates)
                    case = f"{size_px:4d} px {protocol} {signature:16s} {clients:3d} clients"
                    rates = f"{server_rate:8.2f} images/s, loop {loop_rate:8.2f}"
                    print(f"{case}: {rates}, ratio {server_rate / loop_rate:.2f}", flush=True)
                stack.close()


def print_memory(server, name, args):
    """The resident set of the server after each twentieth of the requests."""
    loads = [load_of(server, name, protocol, signature, args.sizes[0]) for protocol, signature in CASES]
    part = args.memory_requests // 20 // len(loads)
    for index in range(20):
        for load in loads:
            with in_process(client_worker, load, args.clients[0]) as ask_clients:
                ask_clients(part, count=True)
        print(
            f"{(index + 1) * part * len(loads):6d} requests: {resident_bytes(server['pid']) / 2**20:.1f} MB", flush=True
        )


def resident_bytes(pid):
    """Resident set of a process."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@contextlib.contextmanager
def running_server(model, flags):
    """`tfgan_app serve` as a process: its ports and process id."""
    command = [sys.executable, "-m", "tfgan_app", "serve", "--models", str(model), *flags]
    command += ["--rest-port", "0", "--grpc-port", "0", "--timeout-seconds", "3600"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    try:
        ports = {}
        for line in process.stderr:
            if line.startswith("Serving"):
                rest, grpc_port = (part.rsplit(":", 1)[1].strip("/\n ") for part in line.split(" and "))
                ports = {"rest": int(rest), "grpc": int(grpc_port), "pid": process.pid}
            if "available" in line:
                break
        yield ports
    finally:
        process.terminate()
        process.wait()


def photograph(size_px):
    """uint8 `[side, side, 3]` that compresses about as a photograph does."""
    rng = np.random.default_rng(0)
    coarse = Image.fromarray(rng.integers(0, 256, (max(2, size_px // 16), max(2, size_px // 16), 3), np.uint8))
    smooth = np.asarray(coarse.resize((size_px, size_px), Image.Resampling.BICUBIC), np.int16)
    return np.clip(smooth + rng.integers(-4, 5, smooth.shape), 0, 255).astype(np.uint8)


def encoded(image):
    """PNG bytes."""
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "PNG")
    return buffer.getvalue()


def load_of(server, name, protocol, signature, size_px):
    """What a client sends, ready to be sent: (protocol, address, bytes)."""
    image = photograph(size_px)
    if protocol == "rest":
        body = {"instances": [{"b64": base64.b64encode(encoded(image)).decode()}], "signature_name": signature}
        return "rest", f"http://127.0.0.1:{server['rest']}/v1/models/{name}:predict", json.dumps(body).encode()
    import tensorflow as tf
    from tensorflow_serving.apis import predict_pb2

    request = predict_pb2.PredictRequest()
    request.model_spec.name, request.model_spec.signature_name = name, signature
    if signature == "tensor":
        request.inputs["images"].CopyFrom(tf.make_tensor_proto(image[None]))
    else:
        request.inputs["image_bytes"].CopyFrom(tf.make_tensor_proto([encoded(image)]))
    return "grpc", f"127.0.0.1:{server['grpc']}", request.SerializeToString()


@contextlib.contextmanager
def in_process(worker, *arguments):
    """A function that asks a worker in a process of its own, which is started and warm."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=worker, args=(there, *arguments), daemon=True)
    process.start()
    there.close()  # Or we would wait for ever for a worker that died.
    here.recv()

    def ask(amount, count=False):
        here.send((amount, count))
        return here.recv()

    try:
        yield ask
    finally:
        here.send(None)
        process.join()


def loop_worker(pipe, model, signature, size_px):
    """Calls the loaded SavedModel in a loop, for so many seconds as it is asked for."""
    import tensorflow as tf

    version = max((path for path in model.iterdir() if path.name.isdecimal()), key=lambda path: int(path.name))
    loaded = tf.saved_model.load(str(version))
    function, image = loaded.signatures[signature], photograph(size_px)
    data = encoded(image)

    def call():
        if signature == "tensor":
            return function(images=tf.constant(image[None]))["outputs"].numpy()
        return function(image_bytes=tf.constant([data]))["output_bytes"].numpy()

    for _ in range(3):
        call()
    pipe.send("ready")
    while (asked := pipe.recv()) is not None:
        done, start = 0, time.perf_counter()
        while time.perf_counter() - start < asked[0]:
            call()
            done += 1
        pipe.send(done / (time.perf_counter() - start))


def client_worker(pipe, load, clients):
    """Clients that each send a request when they have the answer to the one before."""
    asyncio.run(drive(pipe, load, clients))


async def drive(pipe, load, clients):
    """Answers the pipe with requests per second."""
    protocol, address, body = load
    async with contextlib.AsyncExitStack() as stack:
        if protocol == "rest":
            timeout = aiohttp.ClientTimeout(total=None)
            connector = aiohttp.TCPConnector(limit=0)
            session = await stack.enter_async_context(aiohttp.ClientSession(connector=connector, timeout=timeout))

            async def send():
                async with session.post(address, data=body) as response:
                    answer = await response.read()
                    assert response.status == 200, answer
        else:
            channels = [
                await stack.enter_async_context(
                    grpc.aio.insecure_channel(
                        address, [("grpc.max_receive_message_length", -1), ("grpc.use_local_subchannel_pool", 1)]
                    )
                )
                for _ in range(min(clients, 8))
            ]
            calls = [channel.unary_unary(PREDICT) for channel in channels]
            turn = iter(range(10**9))

            async def send():
                await calls[next(turn) % len(calls)](body)

        await asyncio.gather(*(send() for _ in range(min(clients, 4))))
        pipe.send("ready")
        loop = asyncio.get_running_loop()
        while (asked := await loop.run_in_executor(None, pipe.recv)) is not None:
            pipe.send(await rate(send, clients, *asked))


async def rate(send, clients, amount, count):
    """Requests per second over `amount` seconds, or over `amount` requests where `count`."""
    done, start = 0, time.perf_counter()

    async def client():
        nonlocal done
        while (done < amount) if count else (time.perf_counter() - start < amount):
            done += 1
            await send()

    await asyncio.gather(*(client() for _ in range(clients)))
    return done / (time.perf_counter() - start)


def export_cheap(folder, name="cheap"):
    """A model of one small convolution."""
    import keras

    from tfgan_app.export import export_model

    model = keras.Sequential([keras.Input((None, None, 3)), keras.layers.Conv2D(3, 1)])
    return export_model(model, format="saved_model", output_dir=folder, name=name).path.parent


if __name__ == "__main__":
    main()
