"""Modality-decoupled parallelism (docs/spec/model.md §7.4–7.7), run by processes of one machine. README.md walks
through a step."""
