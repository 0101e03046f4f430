"""Who was really shown what: the question through the gate, the evidence out of the journal, the insurers' lists."""
