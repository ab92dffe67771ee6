"""Comparison of evaluations with the same protocol, and its verdicts."""

import pytest

from tfgan_app.metrics import ComparedMetric, check_comparable, compare, comparison_lines

PROTOCOL = {"features": "classifier", "features_digest": "0123456789ab", "real_images": 1000}


def evaluation(metrics, **protocol):
    return {"metrics": metrics, "protocol": {**PROTOCOL, **protocol}}


def verdicts(first, second):
    return {row.name: row.verdict for row in compare(evaluation(first), evaluation(second))}


def test_unlike_protocols_are_refused_naming_every_field_and_both_values():
    other = {"features": "classifier", "features_digest": "ba9876543210", "size_px": 64}
    with pytest.raises(ValueError) as caught:
        check_comparable(PROTOCOL, other)
    message = str(caught.value)
    assert "features_digest: 0123456789ab and ba9876543210" in message
    assert "real_images: 1000 and (none)" in message and "size_px: (none) and 64" in message
    assert "features: classifier" not in message and "\n" not in message
    with pytest.raises(ValueError, match="features_digest"):
        compare(evaluation({}), evaluation({}, features_digest="ba9876543210"))


def test_another_checkpoint_or_another_draw_is_comparable():
    check_comparable(PROTOCOL | {"checkpoint": "a", "metrics_seed": 0}, PROTOCOL | {"metrics_seed": 1})


@pytest.mark.parametrize("name", ["fid", "kid", "l1", "lpips"])
def test_less_is_better(name):
    assert verdicts({name: 2.0}, {name: 1.0}) == {name: "better"}
    assert verdicts({name: 1.0}, {name: 2.0}) == {name: "worse"}


@pytest.mark.parametrize("name", ["psnr", "ssim", "precision", "recall", "density", "coverage"])
def test_more_is_better(name):
    assert verdicts({name: 2.0}, {name: 1.0}) == {name: "worse"}
    assert verdicts({name: 1.0}, {name: 2.0}) == {name: "better"}
    assert verdicts({name: 1.0}, {name: 1.0}) == {name: "equal"}


def test_a_difference_within_the_confidence_intervals_is_no_verdict():
    first = {"kid": 2.0, "kid_low": 1.5, "kid_high": 2.5}
    assert verdicts(first, {"kid": 1.4, "kid_low": 1.2, "kid_high": 1.6})["kid"] == "unclear"
    assert verdicts(first, {"kid": 1.2, "kid_low": 1.0, "kid_high": 1.4})["kid"] == "better"
    assert verdicts(first, {"kid": 3.0, "kid_low": 2.6, "kid_high": 3.4})["kid"] == "worse"


def test_metrics_without_a_direction_or_a_partner_are_shown_without_a_verdict():
    rows = compare(evaluation({"floor_fid": 1.0, "fid": 3.0}), evaluation({"floor_fid": 1.5, "psnr": 20.0}))
    assert rows == [
        ComparedMetric("floor_fid", 1.0, 1.5, 0.5, ""),
        ComparedMetric("fid", 3.0, None, None, ""),
        ComparedMetric("psnr", None, 20.0, None, ""),
    ]


def test_the_table_has_a_line_a_metric():
    rows = compare(evaluation({"fid": 12.5, "recall": 0.25}), evaluation({"fid": 10.0}))
    head, fid, recall = (line.split() for line in comparison_lines(rows))
    assert head[0] == "metric"
    assert fid == ["fid", "12.5", "10", "-2.5", "better"]
    assert recall == ["recall", "0.25", "-", "-"]


@pytest.mark.parametrize("broken", [{}, {"metrics": {"fid": 1.0}}, {"metrics": [1.0], "protocol": {}}])
def test_what_is_no_evaluation_is_refused(broken):
    with pytest.raises(ValueError, match="tfgan_app evaluate --json"):
        compare(evaluation({"fid": 1.0}), broken)
