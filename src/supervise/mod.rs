//! What the supervisor needs of the operating system.
