//! When a certificate is valid: the two times of its DER (RFC 5280 section 4.1).
//!
//! The TLS library reads certificates only to verify chains, and has no word for a time alone.

use std::time::{Duration, SystemTime};

/// Tags of X.690: universal ones, and the explicit [0] in front of a certificate's version.
const INTEGER: u8 = 0x02;
const SEQUENCE: u8 = 0x30;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
const VERSION: u8 = 0xa0;

/// From when to when a certificate in DER is valid; `None` for what is no certificate.
pub(crate) fn validity(der: &[u8]) -> Option<(SystemTime, SystemTime)> {
    let (certificate, _) = element(der, SEQUENCE)?;
    let (mut fields, _) = element(certificate, SEQUENCE)?;
    if let Some((_, rest)) = element(fields, VERSION) {
        fields = rest;
    }
    // Serial number, signature algorithm and issuer stand in front.
    for tag in [INTEGER, SEQUENCE, SEQUENCE] {
        (_, fields) = element(fields, tag)?;
    }
    let (times, _) = element(fields, SEQUENCE)?;
    let (from, times) = time(times)?;
    let (to, _) = time(times)?;
    Some((from, to))
}

/// The contents of the element at the front of `bytes`, if it has this tag, and what follows it.
fn element(bytes: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (&[first, length], rest) = bytes.split_first_chunk()?;
    if first != tag {
        return None;
    }
    // X.690 section 8.1.3: below 128 the length itself, else the number of bytes that hold it.
    let (length, rest) = match length {
        0..=0x7f => (usize::from(length), rest),
        0x81..=0x84 => {
            let (digits, rest) = rest.split_at_checked(usize::from(length & 0x7f))?;
            (digits.iter().fold(0, |n, b| n << 8 | usize::from(*b)), rest)
        }
        _ => return None,
    };
    rest.split_at_checked(length)
}

/// `YYMMDDHHMMSSZ` up to 2049, `YYYYMMDDHHMMSSZ` from 2050 on (RFC 5280 section 4.1.2.5).
fn time(bytes: &[u8]) -> Option<(SystemTime, &[u8])> {
    let (text, rest, short) = match element(bytes, UTC_TIME) {
        Some((text, rest)) => (text, rest, true),
        None => element(bytes, GENERALIZED_TIME).map(|(text, rest)| (text, rest, false))?,
    };
    let text = text.strip_suffix(b"Z")?;
    if text.len() != if short { 12 } else { 14 } || !text.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let number = |digits: &[u8]| digits.iter().fold(0, |n, d| n * 10 + u64::from(d - b'0'));
    let (year, text) = text.split_at(if short { 2 } else { 4 });
    let year = match number(year) {
        y @ 0..=49 if short => 2000 + y,
        y if short => 1900 + y,
        y => y,
    };
    let part = |i: usize| number(&text[2 * i..2 * i + 2]);
    let (month, day) = (part(0), part(1));
    if year < 1970 || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    let seconds = days(year, month, day) * 86_400 + part(2) * 3600 + part(3) * 60 + part(4);
    Some((SystemTime::UNIX_EPOCH + Duration::from_secs(seconds), rest))
}

/// Days from 1970-01-01 to a day of the Gregorian calendar.
fn days(year: u64, month: u64, day: u64) -> u64 {
    const BEFORE: [u64; 12] = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];
    let leap_days = |y: u64| y / 4 - y / 100 + y / 400;
    let is_leap = leap_days(year) > leap_days(year - 1);
    let this_year = BEFORE[(month - 1) as usize] + u64::from(is_leap && month > 2) + day - 1;
    (year - 1970) * 365 + leap_days(year - 1) - leap_days(1969) + this_year
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn seconds(text: &[u8], tag: u8) -> Option<u64> {
        let bytes = [&[tag, text.len() as u8], text].concat();
        let (time, rest) = time(&bytes)?;
        assert!(rest.is_empty());
        Some(time.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs())
    }

    /// Expected values are those of `date -u -d … +%s`.
    #[test]
    fn times_are_those_of_the_calendar() {
        assert_eq!(seconds(b"700101000000Z", UTC_TIME), Some(0));
        assert_eq!(seconds(b"000229123456Z", UTC_TIME), Some(951_827_696));
        assert_eq!(seconds(b"000301000000Z", UTC_TIME), Some(951_868_800));
        assert_eq!(seconds(b"491231235959Z", UTC_TIME), Some(2_524_607_999));
        assert_eq!(seconds(b"20500101000000Z", GENERALIZED_TIME), Some(2_524_608_000));
        assert_eq!(seconds(b"21000301000000Z", GENERALIZED_TIME), Some(4_107_542_400));
        for bad in [&b"701301000000Z"[..], b"7001010000Z", b"700101000000", b"70010100000aZ"] {
            assert_eq!(seconds(bad, UTC_TIME), None);
        }
    }

    #[test]
    fn nothing_that_is_cut_is_a_certificate() {
        let pair = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap();
        let mut params = rcgen::CertificateParams::new(vec!["a.example".to_owned()]).unwrap();
        params.not_before = rcgen::date_time_ymd(2024, 2, 29);
        params.not_after = rcgen::date_time_ymd(2051, 3, 1);
        let der = params.self_signed(&pair).unwrap().der().to_vec();
        let unix = |t: SystemTime| t.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
        let (from, to) = validity(&der).unwrap();
        assert_eq!((unix(from), unix(to)), (1_709_164_800, 2_561_241_600));
        for n in 0..der.len() {
            assert_eq!(validity(&der[..n]), None);
        }
        for at in 0..80 {
            let mut changed = der.clone();
            changed[at] ^= 0x81;
            let _ = validity(&changed);
        }
    }
}
