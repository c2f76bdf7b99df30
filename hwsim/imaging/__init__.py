"""Raw frames, colour filter mosaics, pictures in and out, and their quality."""
