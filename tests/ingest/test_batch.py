from tracker.ingest.batch import Batch


def batch() -> Batch[str]:
    return Batch(limit=3, limit_bytes=100, linger_s=0.5)


def test_an_empty_batch_is_never_due() -> None:
    assert not batch().due(1e9)
    assert batch().wait_s(1e9) is None


def test_a_batch_is_due_when_its_first_item_has_waited() -> None:
    gathered = batch()
    gathered.add("a", 1, 10.0)
    gathered.add("b", 1, 10.4)
    assert not gathered.due(10.49)
    assert gathered.wait_s(10.4) is not None
    assert abs((gathered.wait_s(10.4) or 0) - 0.1) < 1e-9
    assert gathered.due(10.5)


def test_a_batch_is_due_at_once_when_it_has_its_number() -> None:
    gathered = batch()
    for name in "abc":
        gathered.add(name, 1, 10.0)
    assert gathered.full
    assert gathered.due(10.0)
    assert gathered.wait_s(10.0) == 0.0


def test_a_batch_is_due_at_once_when_it_has_its_bytes() -> None:
    gathered = batch()
    gathered.add("a", 100, 10.0)
    assert gathered.full


def test_taking_keeps_the_order_and_begins_anew() -> None:
    gathered = batch()
    for name in "abcd":
        gathered.add(name, 60, 10.0)
    assert gathered.take() == ["a", "b", "c", "d"]
    assert len(gathered) == 0
    gathered.add("e", 60, 20.0)
    assert not gathered.full
    assert not gathered.due(20.4)
