"""The way a push takes: receive, decide, submit, follow, collect, compare, report; reconcile beside."""
