//! Points on the earth and how far they are from each other.

/// A point of WGS-84 in millionths of a degree: a tenth of a metre. Points of Chinese maps (GCJ-02) lie some hundred metres
/// beside it; whoever has these converts them before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Point {
    latitude_e6: i32,
    longitude_e6: i32,
}

/// Why two numbers are no point.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PointError {
    /// Beyond a pole.
    #[error("must be a latitude from -90000000 to 90000000 millionths of a degree")]
    Latitude,
    /// More than half around.
    #[error("must be a longitude from -180000000 to 180000000 millionths of a degree")]
    Longitude,
}

/// The mean radius of the earth in metres (IUGG, 2a + b over 3).
const EARTH_RADIUS_M: f64 = 6_371_008.8;

impl Point {
    /// A point by its latitude, north positive, and its longitude, east positive.
    ///
    /// # Errors
    /// [`PointError`]
    pub const fn new(latitude_e6: i32, longitude_e6: i32) -> Result<Self, PointError> {
        if latitude_e6 < -90_000_000 || latitude_e6 > 90_000_000 {
            return Err(PointError::Latitude);
        }
        if longitude_e6 < -180_000_000 || longitude_e6 > 180_000_000 {
            return Err(PointError::Longitude);
        }
        Ok(Self { latitude_e6, longitude_e6 })
    }

    /// The latitude in millionths of a degree, north positive.
    #[must_use]
    pub const fn latitude_e6(self) -> i32 {
        self.latitude_e6
    }

    /// The longitude in millionths of a degree, east positive.
    #[must_use]
    pub const fn longitude_e6(self) -> i32 {
        self.longitude_e6
    }

    /// How far another point is along a great circle (haversine), in whole metres, to the nearest. The earth is taken as a ball:
    /// the way over the ellipsoid differs by half a percent at most. The same on every machine: the functions are those of
    /// `libm`, not of the system.
    #[must_use]
    #[expect(
        clippy::float_arithmetic,
        reason = "angles are no money; what comes out is whole metres"
    )]
    #[expect(
        clippy::cast_possible_truncation,
        reason = "half around the earth is 20 million metres"
    )]
    pub fn distance_m(self, to: Self) -> i64 {
        let radians = |e6: i32| (f64::from(e6) / 1e6).to_radians();
        let half_sine = |a: i32, b: i32| {
            let sine = libm::sin((radians(b) - radians(a)) / 2.0);
            sine * sine
        };
        let flattened = libm::cos(radians(self.latitude_e6)) * libm::cos(radians(to.latitude_e6));
        let haversine = half_sine(self.latitude_e6, to.latitude_e6)
            + flattened * half_sine(self.longitude_e6, to.longitude_e6);
        let angle = 2.0 * libm::asin(libm::sqrt(haversine.clamp(0.0, 1.0)));
        libm::round(EARTH_RADIUS_M * angle) as i64
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn point(latitude_e6: i32, longitude_e6: i32) -> Point {
        Point::new(latitude_e6, longitude_e6).unwrap()
    }

    const BEIJING: (i32, i32) = (39_904_200, 116_407_400);
    const SHANGHAI: (i32, i32) = (31_230_400, 121_473_700);
    const SHENZHEN: (i32, i32) = (22_543_100, 114_057_900);
    const LONDON: (i32, i32) = (51_507_400, -127_800);
    const PARIS: (i32, i32) = (48_856_600, 2_352_200);
    const NEW_YORK: (i32, i32) = (40_712_800, -74_006_000);
    const AUCKLAND: (i32, i32) = (-36_848_500, 174_763_300);
    const HONOLULU: (i32, i32) = (21_306_900, -157_858_300);

    #[test]
    fn cities_are_as_far_apart_as_they_are() {
        // Computed beside this from the angle between the two unit vectors: atan2(|a × b|, a · b).
        for (from, to, metres) in [
            (BEIJING, SHANGHAI, 1_067_312),
            (SHANGHAI, SHENZHEN, 1_213_277),
            (LONDON, PARIS, 343_557),
            (LONDON, NEW_YORK, 5_570_230),
            (AUCKLAND, HONOLULU, 7_075_743),
        ] {
            assert_eq!(point(from.0, from.1).distance_m(point(to.0, to.1)), metres);
        }
    }

    #[test]
    fn the_ends_of_the_earth_are_half_around_and_the_date_line_is_no_way() {
        let half_around = 20_015_114;
        assert_eq!(point(90_000_000, 0).distance_m(point(-90_000_000, 77_000_000)), half_around);
        assert_eq!(point(0, 0).distance_m(point(0, 180_000_000)), half_around);
        assert_eq!(point(0, 0).distance_m(point(0, 90_000_000)), 10_007_557);
        assert_eq!(point(7, -180_000_000).distance_m(point(7, 180_000_000)), 0);
        // Nine millionths of a degree are a metre.
        assert_eq!(point(0, 179_999_995).distance_m(point(0, -179_999_996)), 1);
    }

    #[test]
    fn what_is_not_on_the_earth_is_refused() {
        assert_eq!(Point::new(90_000_001, 0), Err(PointError::Latitude));
        assert_eq!(Point::new(-90_000_001, 0), Err(PointError::Latitude));
        assert_eq!(Point::new(0, 180_000_001), Err(PointError::Longitude));
        assert_eq!(Point::new(0, i32::MIN), Err(PointError::Longitude));
    }

    fn points() -> impl Strategy<Value = Point> {
        (-90_000_000..=90_000_000, -180_000_000..=180_000_000).prop_map(|(a, b)| point(a, b))
    }

    proptest! {
        #[test]
        fn there_and_back_are_one_way_and_no_way_round_is_shorter(
            a in points(), b in points(), c in points(),
        ) {
            prop_assert_eq!(a.distance_m(b), b.distance_m(a));
            prop_assert_eq!(a.distance_m(a), 0);
            prop_assert!((0..=20_015_114).contains(&a.distance_m(b)));
            prop_assert!(a.distance_m(c) <= a.distance_m(b) + b.distance_m(c) + 2);
        }
    }
}
