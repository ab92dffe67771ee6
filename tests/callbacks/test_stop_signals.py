import os
import signal
import threading

import pytest

from tfgan_app.callbacks.stop_signals import SIGNALS, StopOnSignal


@pytest.fixture(autouse=True)
def handlers_come_back():
    before = [signal.getsignal(number) for number in SIGNALS]
    yield
    assert [signal.getsignal(number) for number in SIGNALS] == before


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_ends_training_after_the_step(tiny_model, capfd, number):
    stop = StopOnSignal()
    tiny_model.at_step[3] = lambda: os.kill(os.getpid(), number)
    assert tiny_model.run([stop], steps=9) == 3
    assert stop.received == number
    assert f"{signal.Signals(number).name}: stopping after this step" in capfd.readouterr().err


def test_a_second_interrupt_stops_at_once(tiny_model):
    def interrupt_twice():
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)

    tiny_model.at_step[2] = interrupt_twice
    with pytest.raises(KeyboardInterrupt):
        tiny_model.run([StopOnSignal()], steps=5)


def test_a_second_sigterm_changes_nothing(tiny_model):
    def terminate_twice():
        os.kill(os.getpid(), signal.SIGTERM)
        os.kill(os.getpid(), signal.SIGTERM)

    tiny_model.at_step[2] = terminate_twice
    assert tiny_model.run([StopOnSignal()], steps=5) == 2


def test_a_signal_during_set_up_is_heard(tiny_model):
    stop = StopOnSignal()
    stop.install()
    os.kill(os.getpid(), signal.SIGTERM)
    assert tiny_model.run([stop], steps=5) == 1


def test_restore_after_fit_has_raised(tiny_model):
    def fail():
        raise RuntimeError("broken")

    stop = StopOnSignal()
    tiny_model.at_step[2] = fail
    with pytest.raises(RuntimeError, match="broken"):
        tiny_model.run([stop], steps=5)
    stop.restore()


def test_outside_the_main_thread_nothing_is_installed():
    stop = StopOnSignal()
    thread = threading.Thread(target=stop.install)
    thread.start()
    thread.join()
    stop.restore()
