"""Work in order on several threads: results come in task order, so that the thread count never changes a bit."""
from concurrent.futures import ThreadPoolExecutor


def in_order(function, tasks, threads):
    """[function(task) for task in tasks]; the functions release the interpreter lock while they compute."""
    if threads == 1 or len(tasks) < 2:
        return [function(task) for task in tasks]
    with ThreadPoolExecutor(min(threads, len(tasks))) as pool:
        return list(pool.map(function, tasks))
