"""A simulated world with its own truth: people, insurers, professionals, days of care, an auditor that believes nobody.

It stands beside the product, as any client would: it talks HTTP to the real server and runs the real commands, and
computes what is true by its own slow, plain means (docs/simulator.md). Figures without a source say `# assumed`.
"""
