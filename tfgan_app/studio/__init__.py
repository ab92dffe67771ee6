"""Studio: a local page for enhancing, translating, generating and training, on Gradio (extra `[studio]`).

The page runs the command line: each job is a process of its own, and its command is shown.
"""
