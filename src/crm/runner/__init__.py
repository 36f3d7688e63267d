"""The runner: executes the report notebooks and publishes what they found, all of it or nothing.

`crm.runner.run.run(request)` is the whole of it. This file stays empty of imports, because every kernel passes
through it.
"""
