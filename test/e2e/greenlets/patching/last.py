from patching import second
