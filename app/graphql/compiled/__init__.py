"""Compiled execution: for an operation that is asked for again, one Python function from the values to the answer.

graphql-core walks the document for every value of every answer; most of a request's time went there. The first time
that a document is asked for, graphql-core executes it. The second time, the walk is written down once as Python
source (`writer.py`), and from then on that source runs (`operation.py`).

Nothing else knows of it. Resolvers are Strawberry's own; the writer reads the schema that Strawberry built, and
there is no second description of it. What the writer cannot express, it leaves to graphql-core for good: directives
that depend on variables, introspection, subscriptions.

Errors stay graphql-core's own. The written code only knows the ordinary case; at anything else (an exception, null
where none may be, a value of another class) it gives up, and graphql-core completes the very values that the root
fields returned (`replay.py`), with its own messages, paths and nulls. Root fields, which read and write, run once
in either case; resolvers below them only compute or read, and may run twice. `app/decisions/0018-compiled-
execution.md` has the figures.
"""
