from concurrent.futures import ThreadPoolExecutor

from reana_bridge.store.ids import new_id


def test_ids_sort_by_time_and_never_repeat() -> None:
    with ThreadPoolExecutor(4) as pool:
        ids = list(pool.map(lambda _: new_id(), range(2000)))
    assert len(set(ids)) == 2000
    assert {len(i) for i in ids} == {26}
    assert all(i.isascii() and i.isalnum() and i == i.lower() for i in ids)
    first = new_id()[:10]
    assert first >= max(i[:10] for i in ids)
