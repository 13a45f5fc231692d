"""The arithmetic of the intent head on small made-up sets whose answers are known."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp

from bot.components.calibration import Examples, calibrate, thresholds
from bot.components.gate_score import Blend, Comparison, Surroundings
from bot.components.linear import Features, LinearHead, Recipe, Scaler, fitted_temperature, softmax
from bot.components.other_language import BorrowedHead, enough, untaught
from bot.measure import Parsed, figures, near_topic

CLASSES = 8


def clusters(size: int, strangers: int = 0) -> Examples:
    """Messages around one centre per intent, and strangers anywhere."""
    random = np.random.RandomState(0)
    centres = random.randn(CLASSES, 24)

    def unit(rows: np.ndarray) -> np.ndarray:
        return (rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)).astype(np.float32)

    def ngrams(rows: int) -> sp.csr_matrix:
        return sp.random(rows, 2**18, density=2e-5, format="csr", dtype=np.float32, random_state=random)

    labels = np.arange(size) % CLASSES
    dense, sparse = unit(centres[labels] * 1.5 + random.randn(size, 24)), ngrams(size)
    scaler = Scaler.fitted(dense, sparse, CLASSES, Recipe())
    strange = scaler.scale(unit(random.randn(strangers, 24)), ngrams(strangers))
    features = scaler.scale(dense, sparse)
    return Examples(features, labels, CLASSES, strange, Comparison.fitted(features.dense, Recipe(directions=16)))


@pytest.fixture(scope="module")
def examples() -> Examples:
    return clusters(480)


def rows(first: int, last: int) -> np.ndarray:
    return np.arange(first, last)


def test_a_head_learns_what_can_be_learnt(examples: Examples) -> None:
    head = LinearHead.trained(examples.features[rows(0, 400)], examples.labels[:400], CLASSES, Recipe())
    right = head.logits(examples.features[rows(400, 480)]).argmax(1) == examples.labels[400:]
    assert right.mean() > 0.9


def test_a_head_that_starts_from_another_one_arrives_where_it_would_alone(examples: Examples) -> None:
    half = LinearHead.trained(examples.features[rows(0, 240)], examples.labels[:240], CLASSES, Recipe())
    alone = LinearHead.trained(examples.features, examples.labels, CLASSES, Recipe(iterations=200))
    led = LinearHead.trained(examples.features, examples.labels, CLASSES, Recipe(iterations=200), half)
    ours, theirs = (softmax(head.logits(examples.features)) for head in (led, alone))
    assert np.abs(ours - theirs).max() < 0.02


def test_a_rare_intent_is_not_drowned_by_a_frequent_one() -> None:
    random = np.random.RandomState(4)
    labels = np.array([0] * 300 + [1] * 10)
    dense = (random.randn(310, 6) + labels[:, None] * 1.2).astype(np.float32)
    features = Features(dense, sp.csr_matrix((310, 4), dtype=np.float32))
    said = LinearHead.trained(features, labels, 2, Recipe()).logits(features).argmax(1)
    assert said[labels == 1].mean() > 0.8


def test_a_message_without_known_ngrams_is_still_ranked(examples: Examples) -> None:
    head = LinearHead.trained(examples.features, examples.labels, CLASSES, Recipe(iterations=20))
    columns = examples.features.ngrams.shape[1]
    empty = sp.csr_matrix((1, columns), dtype=np.float32)
    alone = head.logits(Features(examples.features.dense[:1], empty))
    both = sp.csr_matrix(sp.vstack([empty, examples.features.ngrams[1]]))
    together = head.logits(Features(examples.features.dense[:2], both))
    assert np.isfinite(alone).all()
    assert np.allclose(alone[0], together[0], atol=1e-4)


def test_what_an_encoder_does_not_read_stays_zero_when_centred() -> None:
    dense = np.array([[1.0, 0.0], [3.0, 0.0], [0.0, 5.0], [0.0, 7.0]], dtype=np.float32)
    nothing = sp.csr_matrix((4, 2**18), dtype=np.float32)
    scaled = Scaler.fitted(dense, nothing, 2, Recipe()).scale(dense, nothing).dense
    assert scaled.tolist() == [[-1, 0], [1, 0], [0, -1], [0, 1]]


def test_messages_are_compared_in_few_directions_nearly_as_in_all(examples: Examples) -> None:
    dense = examples.features.dense
    unit = dense / np.linalg.norm(dense, axis=1, keepdims=True)
    turned = examples.comparison.turned(dense)
    assert turned.shape == (480, 16)
    assert np.corrcoef((unit @ unit.T).ravel(), (turned @ turned.T).ravel())[0, 1] > 0.95


def test_temperature_makes_probabilities_honest() -> None:
    random = np.random.RandomState(1)
    true = random.randn(4000, 5) * 2
    labels = (softmax(true).cumsum(1) > random.rand(4000, 1)).argmax(1)
    assert fitted_temperature((true * 3).astype(np.float32), labels) == pytest.approx(3, rel=0.15)


@pytest.mark.parametrize("strangers", [0, 120])
def test_the_score_is_high_for_what_belongs_and_low_for_what_does_not(strangers: int) -> None:
    held, blend, _ = calibrate(clusters(480, strangers), Recipe(iterations=40))
    assert (blend.weights >= 0).all()
    inside = blend.score(held.evidence)
    assert ((inside >= 0) & (inside <= 1)).all()
    assert inside.mean() > 0.8
    if strangers:
        assert blend.score(held.foreign).mean() < 0.4


def test_more_evidence_never_lowers_the_score() -> None:
    random = np.random.RandomState(2)
    blend = Blend.fitted(random.randn(300, 4) + [1, 1, 0, -1], random.randn(300, 4))
    rows = random.randn(50, 4)
    assert (blend.score(rows + 0.5) >= blend.score(rows)).all()


def test_the_threshold_costs_what_it_may_cost() -> None:
    random = np.random.RandomState(3)
    scores, right = random.rand(2000), random.rand(2000) < 0.9
    answer, clarify = thresholds(scores, right, cost=0.02)
    assert right.mean() - (right & (scores >= answer)).mean() == pytest.approx(0.02, abs=0.002)
    assert clarify < answer


def test_evidence_of_a_copy_of_an_example_is_the_strongest(examples: Examples) -> None:
    turned = examples.comparison.turned(examples.features.dense)
    around = Surroundings(turned, examples.labels, 1.0, 1)
    logits = np.eye(CLASSES, dtype=np.float32)[examples.labels[:5]]
    assert around.evidence(logits, turned[:5])[:, 2] == pytest.approx(1, abs=1e-3)


def test_the_figures_of_an_evaluation_mean_what_they_say() -> None:
    lines = [
        Parsed("a", "a", 0.9, 0.9, 0.5, "a", 1.0),
        Parsed("a", "a", 0.6, 0.4, 0.5, "clarify", 2.0),
        Parsed("b", "a", 0.5, 0.8, 0.5, "a", 3.0),
        Parsed("oos", "a", 0.4, 0.1, 0.5, "out_of_scope", 4.0),
        Parsed("oos", "ask_knowledge", 0.9, 0.85, 0.5, "ask_knowledge", 5.0),
    ]
    result = figures(lines)
    assert result["accuracy"] == pytest.approx(2 / 3, abs=1e-3)
    assert result["in_scope_accuracy_at_gate"] == pytest.approx(1 / 3, abs=1e-3)
    assert (result["oos_recall"], result["oos_recall_by_route"]) == (0.5, 1.0)
    assert result["oos_auroc"] == pytest.approx(4 / 6, abs=1e-3)
    assert result["parse_p50"] == 3.0


def test_near_topic_lines_are_compared_at_the_same_cost_for_both_scores() -> None:
    inside = [Parsed("a", "a", 0.5 + i / 200, 0.5 + i / 200, 0.5, "a", 1.0) for i in range(100)]
    near = [Parsed("oos", "a", 0.9, 0.2, 0.5, "a", 1.0)] * 4
    result = near_topic(inside, near, cost=0.05)
    assert result["gate_in_scope"] == result["max_softmax_in_scope"] == 0.95
    assert (result["gate_recall"], result["max_softmax_recall"], result["recall_gain"]) == (1.0, 0.0, 1.0)


def two_languages(size: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Shared vectors, labels and languages; the languages lie apart by a constant, and intent 0 is taught in English only."""
    random = np.random.RandomState(6)
    centres = random.randn(CLASSES, 24) * 1.5
    labels, languages = np.arange(size) % CLASSES, np.where(np.arange(size) % 3 == 0, "zh", "en")
    kept = ~((labels == 0) & (languages == "zh"))
    labels, languages = labels[kept], languages[kept]
    apart = np.where(languages[:, None] == "zh", 2.0, 0.0)
    return (centres[labels] + random.randn(len(labels), 24) * 0.5 + apart).astype(np.float32), labels, languages


BOTH = ("zh", "en")


def test_an_intent_taught_in_one_language_only_is_named() -> None:
    _, labels, languages = two_languages(480)
    assert untaught(labels, languages, BOTH, CLASSES) == {"zh": [0]}
    assert untaught(labels, np.full(len(labels), "en"), BOTH, CLASSES) == {"zh": list(range(CLASSES))}
    rare = np.append(labels, CLASSES)
    assert untaught(rare, np.append(languages, "en"), BOTH, CLASSES + 1) == {"zh": [0]}


def without_words(dense: np.ndarray) -> Features:
    return Features(dense, sp.csr_matrix((len(dense), 0), dtype=np.float32))


def borrowed(languages: np.ndarray, shared: np.ndarray, labels: np.ndarray) -> BorrowedHead:
    recipe, shift = Recipe(directions=16), np.full(24, 2.0, dtype=np.float32)
    lacking = untaught(labels, languages, BOTH, CLASSES)
    return BorrowedHead.trained(without_words(shared), labels, languages, "zh", lacking, CLASSES, recipe, shift)


def test_a_message_about_an_untaught_intent_is_understood_through_the_other_language() -> None:
    shared, labels, languages = two_languages(480)
    head = borrowed(languages, shared, labels)
    english = shared[(labels == 0) & (languages == "en")][:20]
    strange_to_the_first_head = np.tile(np.linspace(-1, 1, CLASSES, dtype=np.float32), (20, 1))
    assert (head.mixed(strange_to_the_first_head, without_words(english + 2.0), 1.0).argmax(1) == 0).mean() > 0.9
    others = shared[(labels == 5) & (languages == "zh")]
    sure = np.full((len(others), CLASSES), -4.0, dtype=np.float32)
    sure[:, 5] = 4.0
    assert (head.mixed(sure, without_words(others), 1.0).argmax(1) == 5).mean() > 0.9


def apart(chinese: list[int], english: list[int]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Shared vectors, labels and languages, Chinese and English teaching an intent only where it is in their list."""
    random = np.random.RandomState(6)
    centres = random.randn(CLASSES, 24)
    labels = np.repeat(chinese + english, 30)
    languages = np.repeat(["zh"] * len(chinese) + ["en"] * len(english), 30)
    shared = centres[labels] + random.randn(len(labels), 24) * 0.5 + np.where(languages == "zh", 2.0, 0.0)[:, None]
    return shared.astype(np.float32), labels, languages


@pytest.mark.parametrize(
    ("chinese", "english"),
    [([0, 1, 2, 3], [4, 5, 6, 7]), ([0, 1, 2, 3], [0, 4, 5, 6, 7]), ([0], [1, 2, 3, 4, 5, 6, 7]), ([1], [0])],
    ids=["nothing in both", "one intent in both", "one intent in Chinese", "one intent each"],
)
def test_taught_intents_are_not_lost_where_each_language_teaches_its_own(
    chinese: list[int], english: list[int]
) -> None:
    shared, labels, languages = apart(chinese, english)
    head = borrowed(languages, shared, labels)
    mine = languages == "zh"
    first = np.full((mine.sum(), CLASSES), -4.0, dtype=np.float32)
    first[np.arange(mine.sum()), labels[mine]] = 4.0
    assert (head.mixed(first, without_words(shared[mine]), 1.0).argmax(1) == labels[mine]).mean() > 0.9
    if len(english) > 1:
        others = np.isin(labels, head.missing)
        nothing = np.zeros((others.sum(), CLASSES), dtype=np.float32)
        said = head.mixed(nothing, without_words(shared[others] + 2.0), 1.0).argmax(1)
        assert (said == labels[others]).mean() > 0.6


def test_a_stray_does_not_settle_what_either_language_teaches_alone() -> None:
    shared, labels, languages = apart([0, 1, 2, 3], [4, 5, 6, 7])
    strays = np.concatenate([shared[:1] - 2.0, shared[-1:] + 2.0])
    clean = borrowed(languages, shared, labels)
    with_them = borrowed(
        np.append(languages, ["en", "zh"]), np.concatenate([shared, strays]), np.append(labels, [0, 7])
    )
    assert np.array_equal(with_them.head.weights, clean.head.weights)
    assert np.array_equal(with_them.head.bias, clean.head.bias)


def test_a_language_without_any_example_is_understood_through_the_other_one() -> None:
    shared, labels, languages = two_languages(480)
    english = languages == "en"
    head = borrowed(languages[english], shared[english], labels[english])
    nothing = np.zeros(((~english).sum(), CLASSES), dtype=np.float32)
    assert (head.mixed(nothing, without_words(shared[~english]), 1.0).argmax(1) == labels[~english]).mean() > 0.9


def test_an_example_pushes_down_no_intent_that_it_is_silent_about() -> None:
    random = np.random.RandomState(8)
    dense, labels = random.randn(300, 6).astype(np.float32), np.arange(300) % 2
    dense[:, 0] += labels * 3
    features, silent = Features(dense, sp.csr_matrix((300, 1), dtype=np.float32)), np.zeros((300, 3), dtype=bool)
    silent[:, 2] = True
    heads = [LinearHead.trained(features, labels, 3, Recipe(), silent=one) for one in (None, silent)]
    loud, quiet = (head.logits(features)[:, 2].mean() - head.logits(features)[:, :2].mean() for head in heads)
    assert quiet > -0.5 > loud


def test_enough_examples_of_each_intent_and_language_are_read() -> None:
    labels, languages = np.repeat([0, 1], [9000, 10]), np.tile(["zh", "en"], 4505)
    chosen = enough(labels, languages, 2)
    assert len(chosen) == 2 * 1500 + 10
    assert (labels[chosen] == 1).sum() == 10


def test_vectors_of_an_encoder_that_reads_nothing_cost_nothing_and_change_nothing(examples: Examples) -> None:
    some = examples.features[rows(0, 200)]
    wider = Features(np.insert(some.dense, [3] * 5, 0, axis=1), some.ngrams)
    heads = [LinearHead.trained(one, examples.labels[:200], CLASSES, Recipe(iterations=15)) for one in (some, wider)]
    assert heads[1].weights.shape[0] == heads[0].weights.shape[0] + 5
    assert not heads[1].weights[3:8].any()
    assert np.allclose(heads[0].logits(some), heads[1].logits(wider), atol=1e-3)


def test_one_message_is_scaled_and_ranked_as_it_would_be_among_many(examples: Examples) -> None:
    random = np.random.RandomState(5)
    dense = random.randn(20, 24).astype(np.float32)
    ngrams = sp.random(20, 2**18, density=1e-4, format="csr", dtype=np.float32, random_state=random)
    scaler = Scaler.fitted(dense, ngrams, 2, Recipe())
    head = LinearHead.trained(scaler.scale(dense, ngrams), np.arange(20) % 2, 2, Recipe(iterations=10))
    unknown = sp.csr_matrix(([2.0, 1.0], ([0, 0], [5, ngrams.indices[0]])), shape=(1, 2**18), dtype=np.float32)
    alone = head.logits_of(scaler.scale_one(dense[:1], unknown.indices, unknown.data))
    assert np.allclose(alone, head.logits(scaler.scale(dense[:1], unknown)), atol=1e-4)
