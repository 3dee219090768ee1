//! Takes single properties out of an XMP packet (ISO 16684-1) without touching the rest of its text.
//!
//! A property is written as an attribute (`prefix:name="..."`) or as an element (`<prefix:name>...</prefix:name>`);
//! both forms are found by the prefix that its namespace is conventionally bound to.

/// The signature in front of a packet in an APP1 segment.
pub const SIGNATURE: &[u8] = b"http://ns.adobe.com/xap/1.0/\0";
/// The signature in front of a part of an extended packet.
pub const EXTENDED_SIGNATURE: &[u8] = b"http://ns.adobe.com/xmp/extension/\0";

/// Properties that speak of places in the picture or hold another picture: a flip makes them false.
pub const FALSE_AFTER_FLIP: [&str; 6] =
    ["mwg-rs:Regions", "MP:RegionInfo", "xmp:Thumbnails", "xap:Thumbnails", "GDepth:", "GImage:"];
/// Properties of a gain map, for pictures that lose theirs.
pub const GAIN_MAP: [&str; 3] = ["hdrgm:", "Container:Directory", "HDRGainMap:"];

/// `packet` without the properties called any of `names`; a name that ends in a colon stands for its whole namespace.
///
/// `None` when an element has no end: such a packet cannot be corrected.
pub fn without(packet: &str, names: &[&str]) -> Option<String> {
    let mut text = packet.to_owned();
    for name in names {
        let mut from = 0;
        while let Some(at) = find_name(&text, name, from) {
            let before = text[..at].chars().next_back();
            let cut = match before {
                Some('<') => Some(at - 1..element_end(&text, at)?),
                Some(space) if space.is_ascii_whitespace() => attribute_end(&text, at).map(|end| at..end),
                _ => None,
            };
            match cut {
                Some(range) => {
                    from = range.start;
                    text.replace_range(range, "");
                }
                None => from = at + name.len(),
            }
        }
    }
    Some(text)
}

/// Whether the packet uses any of `names`.
pub fn mentions(packet: &str, names: &[&str]) -> bool {
    names.iter().any(|name| find_name(packet, name, 0).is_some())
}

/// `packet` with the `Item:Length` of an item behind the picture changed from `old` to `new` (Ultra HDR's container).
pub fn with_item_length(packet: &str, old: usize, new: usize) -> String {
    let mut text = packet.to_owned();
    for (before, after) in [("Item:Length=\"", "\""), ("Item:Length='", "'"), ("<Item:Length>", "</Item:Length>")] {
        text = text.replace(&format!("{before}{old}{after}"), &format!("{before}{new}{after}"));
    }
    text
}

/// The next place of `name` that is a whole name and no declaration of its namespace.
fn find_name(text: &str, name: &str, from: usize) -> Option<usize> {
    let mut from = from;
    loop {
        let at = from + text.get(from..)?.find(name)?;
        let starts = text[..at].chars().next_back().is_some_and(|c| c == '<' || c.is_ascii_whitespace());
        let rest = &text[at + name.len()..];
        let ends = name.ends_with(':') || !rest.starts_with(is_name_char);
        if starts && ends {
            return Some(at);
        }
        from = at + name.len();
    }
}

fn is_name_char(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | ':')
}

/// Where the attribute whose name starts at `at` ends, behind its closing quote.
fn attribute_end(text: &str, at: usize) -> Option<usize> {
    let rest = &text[at..];
    let name = rest.find(|c| !is_name_char(c))?;
    let after = rest[name..].trim_start().strip_prefix('=')?.trim_start();
    let quote = after.chars().next().filter(|&c| c == '"' || c == '\'')?;
    let value = &after[1..];
    let end = value.find(quote)? + 1;
    Some(text.len() - value.len() + end)
}

/// Where the element whose name starts at `at`, behind its `<`, ends.
fn element_end(text: &str, at: usize) -> Option<usize> {
    let length = text[at..].find(|c| !is_name_char(c))?;
    let name = &text[at..at + length];
    let (open, close) = (format!("<{name}"), format!("</{name}"));
    let mut position = at + text[at..].find('>')? + 1;
    if text[..position].ends_with("/>") {
        return Some(position);
    }
    // Elements of the same name may be nested in it.
    let mut depth = 1;
    while depth > 0 {
        let rest = &text[position..];
        let ends = rest.find(&close)?;
        match rest.find(&open).filter(|&starts| starts < ends) {
            Some(starts) => {
                let end = starts + rest[starts..].find('>')? + 1;
                let same = !rest[starts + open.len()..].starts_with(is_name_char);
                depth += usize::from(same && !rest[..end].ends_with("/>"));
                position += end;
            }
            None => {
                depth -= 1;
                position += ends + rest[ends..].find('>')? + 1;
            }
        }
    }
    Some(position)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PACKET: &str = r#"<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:Description xmlns:hdrgm="http://ns.adobe.com/hdr-gain-map/1.0/"
 hdrgm:Version="1.0" dc:title='a > b' hdrgm:Max = '2'>
<mwg-rs:Regions rdf:parseType="Resource"><mwg-rs:RegionList><mwg-rs:Regions/><mwg-rs:Regions>x</mwg-rs:Regions>
</mwg-rs:RegionList></mwg-rs:Regions><dc:creator>me</dc:creator><xmp:ThumbnailsLike/></rdf:Description></x:xmpmeta>"#;

    #[test]
    fn attributes_and_elements_go_the_rest_stays() {
        let text = without(PACKET, &["hdrgm:", "mwg-rs:Regions", "xmp:Thumbnails"]).unwrap();
        assert!(!text.contains("hdrgm:Version") && !text.contains("hdrgm:Max") && !text.contains("Regions"));
        assert!(text.contains("xmlns:hdrgm=") && text.contains("dc:title='a > b'"));
        assert!(text.contains("<dc:creator>me</dc:creator><xmp:ThumbnailsLike/></rdf:Description>"));
        assert_eq!(without(PACKET, &["exif:"]).as_deref(), Some(PACKET));
    }

    #[test]
    fn what_never_ends_cannot_be_corrected() {
        assert_eq!(without("<a><mwg-rs:Regions><b></a>", &FALSE_AFTER_FLIP), None);
        assert!(mentions(PACKET, &GAIN_MAP));
        assert!(!mentions("<a hdrgm2:x='1'/>", &GAIN_MAP));
    }

    #[test]
    fn every_truncation_returns() {
        for (end, _) in PACKET.char_indices() {
            let _ = without(&PACKET[..end], &["hdrgm:", "mwg-rs:Regions"]);
        }
    }
}
