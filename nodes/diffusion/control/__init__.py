"""Pictures that a denoiser follows: ControlNets, T2I-Adapters, and models that read such a picture themselves."""
