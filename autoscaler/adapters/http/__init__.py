"""HTTP as this program speaks it, below every adapter that needs it.

`client` is the one module that imports the HTTP library; `exchange` holds one request and its answer as
values, `retry` the only way to repeat a read, `credentials` the header a token becomes and the texts it must
never appear in. Here never lives what an upstream's answers mean: that is for the adapter above.
"""
