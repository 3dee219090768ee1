//! Photoshop image resources (APP13): kept, but for those that describe places in the picture or hold a thumbnail.

use super::super::bytes::Endian;

/// The signature in front of resources in an APP13 segment.
pub const SIGNATURE: &[u8] = b"Photoshop 3.0\0";

/// Whether a flip makes the resource false: thumbnails (1033, 1036), working and saved paths (1025, 2000 to 2999),
/// guides (1032), slices (1050). Numbers from the Adobe Photoshop File Formats Specification.
fn is_false_after_flip(id: u16) -> bool {
    matches!(id, 1025 | 1032 | 1033 | 1036 | 1050 | 2000..=2999)
}

/// The resources that stay true, in order. `resources` is what stands behind the signatures of all APP13 segments,
/// put together; from where it cannot be read any more it is dropped.
pub fn keep_true(resources: &[u8]) -> Vec<u8> {
    let mut kept = Vec::with_capacity(resources.len());
    let mut at = 0;
    while let Some((id, end)) = resource(resources, at) {
        if !is_false_after_flip(id) {
            kept.extend_from_slice(&resources[at..end]);
        }
        at = end;
    }
    kept
}

/// The resource at `at`: its number and where it ends. `8BIM`, number, Pascal name and data, both padded to even.
fn resource(bytes: &[u8], at: usize) -> Option<(u16, usize)> {
    if bytes.get(at..at + 4)? != b"8BIM" {
        return None;
    }
    let id = Endian::Big.u16(bytes, at + 4)?;
    let name = usize::from(*bytes.get(at + 6)?) + 1;
    let size = at + 6 + name.next_multiple_of(2);
    let length = Endian::Big.u32(bytes, size)? as usize;
    let data_end = size.checked_add(4)?.checked_add(length)?;
    // The padding byte of the last resource is often left out.
    (data_end <= bytes.len()).then(|| (id, data_end.next_multiple_of(2).min(bytes.len())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(id: u16, name: &str, data: &[u8]) -> Vec<u8> {
        let mut out = b"8BIM".to_vec();
        out.extend_from_slice(&id.to_be_bytes());
        out.push(name.len() as u8);
        out.extend_from_slice(name.as_bytes());
        out.resize(out.len().next_multiple_of(2), 0);
        out.extend_from_slice(&(data.len() as u32).to_be_bytes());
        out.extend_from_slice(data);
        out.resize(out.len().next_multiple_of(2), 0);
        out
    }

    #[test]
    fn thumbnails_and_paths_go() {
        let (iptc, copyright) = (entry(1028, "", b"iptc!"), entry(1034, "ab", b"\x01"));
        let all = [iptc.clone(), entry(1036, "", b"thumb"), entry(2000, "path", b"xy"), copyright.clone()].concat();
        assert_eq!(keep_true(&all), [iptc, copyright].concat());
        for end in 0..all.len() {
            assert!(keep_true(&all[..end]).len() <= end);
        }
    }
}
