//! The end of the mix: nothing above full scale leaves it.

/// Where bending begins: below, samples stay as they are.
const KNEE: f32 = 0.95;

/// Bends what is above the knee so that it stays below 1: several loud streams together sound
/// pressed instead of cut off.
pub(crate) fn soft_clip(samples: &mut [f32]) {
    for x in samples {
        let size = x.abs();
        if size > KNEE {
            let room = 1.0 - KNEE;
            *x = (KNEE + room * ((size - KNEE) / room).tanh()).copysign(*x);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quiet_stays_and_loud_is_bent() {
        let mut samples = [0.0, 0.5, -0.95, 0.97, 1.0, 16.0, -3.0];
        let before = samples;
        soft_clip(&mut samples);
        assert_eq!(samples[..3], before[..3]);
        assert!(samples.iter().all(|x| x.abs() <= 1.0));
        assert!(samples[2].abs() < samples[3] && samples[3] < samples[4], "it stays in order");
        assert!(samples[6] < -0.99);
    }
}
