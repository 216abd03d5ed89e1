"""The C2PA Soft Binding Resolution API: finding manifests by marks and fingerprints, and keeping them."""
