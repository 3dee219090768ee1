//! SHA-2 digests with the fastest engine this CPU has.
