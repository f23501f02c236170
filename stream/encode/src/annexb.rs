//! The NAL units of an H.264 byte stream (H.264 annex B).

/// Slice of a picture that refers to others (table 7-1).
pub(crate) const SLICE: u8 = 1;
/// Slice of a picture at which decoding can start.
pub(crate) const IDR_SLICE: u8 = 5;
/// Sequence parameter set.
pub(crate) const SPS: u8 = 7;
/// Picture parameter set.
pub(crate) const PPS: u8 = 8;

/// `nal_unit_type` of a unit without its start code; 0 (unspecified) for an empty one.
pub(crate) fn kind(unit: &[u8]) -> u8 {
    unit.first().map_or(0, |b| b & 0x1f)
}

/// The units of `stream`, without start codes and the zeros before them.
pub(crate) fn units(stream: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = after_start_code(stream);
    std::iter::from_fn(move || {
        let unit = rest?;
        rest = after_start_code(unit);
        let end = rest.map_or(unit.len(), |r| unit.len() - r.len() - 3);
        // What precedes a start code, and trailing_zero_8bits, belong to no unit.
        let end = unit[..end].iter().rposition(|b| *b != 0).map_or(0, |last| last + 1);
        Some(&unit[..end])
    })
}

fn after_start_code(stream: &[u8]) -> Option<&[u8]> {
    stream.windows(3).position(|w| w == [0, 0, 1]).map(|at| &stream[at + 3..])
}

/// The parameter sets of `access_unit`, each behind a start code, as muxers take them. Empty if
/// there are none.
pub(crate) fn parameter_sets(access_unit: &[u8]) -> Vec<u8> {
    let mut sets = Vec::new();
    for unit in units(access_unit) {
        match kind(unit) {
            SPS | PPS => {
                sets.extend_from_slice(&[0, 0, 0, 1]);
                sets.extend_from_slice(unit);
            }
            // They come before the slices; the slices are nearly all bytes there are.
            SLICE | IDR_SLICE => break,
            _ => {}
        }
    }
    sets
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_found_between_start_codes_of_both_lengths() {
        let stream = [0, 0, 0, 1, 0x67, 7, 0, 0, 1, 0x68, 8, 0, 0, 0, 1, 0x65, 0, 3, 5, 0, 0];
        let found: Vec<&[u8]> = units(&stream).collect();
        assert_eq!(found, [&[0x67, 7][..], &[0x68, 8], &[0x65, 0, 3, 5]]);
        assert_eq!(found.iter().map(|u| kind(u)).collect::<Vec<_>>(), [SPS, PPS, IDR_SLICE]);
        assert_eq!(parameter_sets(&stream), [0, 0, 0, 1, 0x67, 7, 0, 0, 0, 1, 0x68, 8]);
    }

    #[test]
    fn junk_has_no_units() {
        for junk in [&[][..], &[0, 0], &[1, 2, 3], &[0, 0, 0, 0]] {
            assert_eq!(units(junk).count(), 0);
            assert!(parameter_sets(junk).is_empty());
        }
        assert_eq!(units(&[0, 0, 1]).map(kind).collect::<Vec<_>>(), [0]);
    }
}
