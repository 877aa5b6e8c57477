"""What nano can talk about: questions, answers, scenes, and the tokenizer made from their words."""
