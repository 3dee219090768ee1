//! Which engine computes SHA-256 on this CPU: what there is, what is chosen, and how to force one.
//!
//! The choice is made once per process, at the first use. The environment variable `RUSTCLUSTER_SHA256` forces a
//! backend by name, for tests and for machines where the measured rule is wrong. Forcing one takes away whatever the
//! CPU has beyond it, for one stream as for many.

use super::{engine, ladder};
use crate::error::{Error, Result};
use std::sync::OnceLock;

/// The environment variable that forces a backend.
pub const VARIABLE: &str = "RUSTCLUSTER_SHA256";

/// One way of computing SHA-256 on several messages at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backend {
    /// Plain Rust: every CPU has it.
    Portable,
    /// x86 with AVX2, 8 lanes.
    Avx2,
    /// x86 with AVX-512VL, 8 lanes in 256-bit registers.
    Avx512vl,
    /// x86 with AVX-512, 16 lanes.
    Avx512,
    /// x86 SHA extensions, two messages interleaved.
    ShaNi,
    /// ARMv8 SHA2 extensions, two messages interleaved.
    Armv8,
}

impl Backend {
    /// Every backend, on whatever CPU.
    pub const ALL: [Self; 6] = [Self::Portable, Self::Avx2, Self::Avx512vl, Self::Avx512, Self::ShaNi, Self::Armv8];

    /// The name that `RUSTCLUSTER_SHA256` takes.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Portable => "portable",
            Self::Avx2 => "avx2",
            Self::Avx512vl => "avx512vl",
            Self::Avx512 => "avx512",
            Self::ShaNi => "sha-ni",
            Self::Armv8 => "armv8",
        }
    }

    /// Whether the CPU this runs on has the instructions.
    pub fn is_available(self) -> bool {
        match self {
            Self::Portable => true,
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => is_x86_feature_detected!("avx2"),
            #[cfg(target_arch = "x86_64")]
            Self::Avx512vl => {
                is_x86_feature_detected!("avx2")
                    && is_x86_feature_detected!("avx512f")
                    && is_x86_feature_detected!("avx512bw")
                    && is_x86_feature_detected!("avx512vl")
            }
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512bw"),
            #[cfg(target_arch = "x86_64")]
            Self::ShaNi => {
                is_x86_feature_detected!("sha")
                    && is_x86_feature_detected!("sse4.1")
                    && is_x86_feature_detected!("ssse3")
            }
            #[cfg(target_arch = "aarch64")]
            Self::Armv8 => std::arch::is_aarch64_feature_detected!("sha2"),
            #[allow(unreachable_patterns, reason = "on x86-64 only the foreign backends are left")]
            _ => false,
        }
    }
}

/// The backends this CPU can run, slowest kind first.
pub fn backends() -> Vec<Backend> {
    Backend::ALL.into_iter().filter(|backend| backend.is_available()).collect()
}

/// The backend forced through the environment, if any. Read once per process.
///
/// # Errors
/// `InvalidArgument` when the variable names no backend, or one this CPU lacks.
pub fn forced() -> Result<Option<Backend>> {
    static FORCED: OnceLock<std::result::Result<Option<Backend>, String>> = OnceLock::new();
    let forced = FORCED.get_or_init(|| match std::env::var_os(VARIABLE) {
        None => Ok(None),
        Some(value) if value.is_empty() => Ok(None),
        Some(value) => by_name(&value.to_string_lossy()).map(Some),
    });
    forced.clone().map_err(Error::InvalidArgument)
}

/// Whether 512-bit registers work at full speed: on Intel, and on AMD from Zen 5 (family 1Ah) on. Zen 4 splits them.
pub(super) fn wide_registers_pay() -> bool {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::x86_64::__cpuid;
        let vendor = __cpuid(0);
        if [vendor.ebx, vendor.edx, vendor.ecx] != [b"Auth", b"enti", b"cAMD"].map(|part| u32::from_le_bytes(*part)) {
            return true;
        }
        let version = __cpuid(1).eax;
        (version >> 8 & 0xf) + (version >> 20 & 0xff) >= 0x1a
    }
    #[cfg(not(target_arch = "x86_64"))]
    false
}

/// What this process computes SHA-256 with.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct InUse {
    /// Whether the environment forced it.
    pub forced: bool,
    /// The backend for one message at a time.
    pub stream: Backend,
    /// The backends for several, widest first, each with the fewest messages it takes over for.
    pub lanes: Vec<(Backend, usize)>,
}

/// What this process computes SHA-256 with.
///
/// # Errors
/// `InvalidArgument` when `RUSTCLUSTER_SHA256` names no backend, or one this CPU lacks.
pub fn in_use() -> Result<InUse> {
    let forced = forced()?;
    Ok(InUse { forced: forced.is_some(), stream: forced.unwrap_or_else(engine::best), lanes: ladder::rule(forced) })
}

fn by_name(name: &str) -> std::result::Result<Backend, String> {
    let here = || backends().into_iter().map(Backend::name).collect::<Vec<_>>().join(", ");
    match Backend::ALL.into_iter().find(|backend| backend.name().eq_ignore_ascii_case(name)) {
        None => Err(format!("{VARIABLE}: unknown backend '{name}', this CPU has {}", here())),
        Some(backend) if !backend.is_available() => {
            Err(format!("{VARIABLE}: this CPU lacks what backend '{}' needs, it has {}", backend.name(), here()))
        }
        Some(backend) => Ok(backend),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn portable_is_everywhere() {
        assert_eq!(backends().first(), Some(&Backend::Portable));
    }

    #[test]
    fn what_is_in_use_is_available() {
        let in_use = in_use().expect("nothing forced, or something this CPU has");
        assert!(in_use.stream.is_available());
        assert!(in_use.lanes.iter().all(|(backend, _)| backend.is_available()), "{in_use:?}");
    }

    #[test]
    fn names_are_found_and_others_refused() {
        for backend in Backend::ALL {
            match by_name(backend.name()) {
                Ok(found) => assert_eq!(found, backend),
                Err(message) => {
                    assert!(!backend.is_available());
                    assert!(message.contains("lacks") && message.contains("portable"), "{message}");
                }
            }
        }
        assert!(by_name("mmx").expect_err("no such backend").contains("unknown backend 'mmx'"));
    }

    /// Run by [`a_backend_can_be_forced`] in a process of its own, since the variable is read once.
    #[test]
    #[ignore = "a child of another test"]
    fn child() {
        let messages = [b"abc".as_slice(); 20];
        let control = crate::kernels::control::Control::new();
        let algorithm = crate::kernels::hash::Algorithm::Sha256;
        match crate::kernels::hash::many(algorithm, &messages, &control) {
            Ok(digests) => {
                let one = crate::kernels::hash::digest(algorithm, b"abc", &control).expect("a digest");
                assert_eq!(one[..4], [0xba, 0x78, 0x16, 0xbf]);
                assert!(digests.chunks(32).all(|digest| digest == one));
                let InUse { forced, stream, .. } = in_use().expect("no error");
                println!("in use: {}", if forced { stream.name() } else { "none" });
            }
            Err(error) => println!("refused: {error}"),
        }
    }

    #[test]
    fn a_backend_can_be_forced() {
        let run = |value: &str| {
            let output = std::process::Command::new(std::env::current_exe().expect("this test"))
                .args(["--ignored", "--exact", "--nocapture", "kernels::hash::backend::tests::child"])
                .env(VARIABLE, value)
                .output()
                .expect("a child");
            assert!(output.status.success(), "{value}: {output:?}");
            String::from_utf8_lossy(&output.stdout).into_owned()
        };
        for backend in Backend::ALL {
            let said = run(backend.name());
            if backend.is_available() {
                assert!(said.contains(&format!("in use: {}", backend.name())), "{said}");
            } else {
                assert!(said.contains("refused") && said.contains("lacks"), "{said}");
            }
        }
        assert!(run("").contains("in use: none"));
        assert!(run("mmx").contains("refused: RUSTCLUSTER_SHA256: unknown backend 'mmx'"));
    }
}
