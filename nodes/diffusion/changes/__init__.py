"""What changes a model without touching its weights: LoRAs, embeddings, adapters, levers."""
