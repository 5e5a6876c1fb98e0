use super::*;

fn close(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-9 * b.abs().max(1.0)
}

fn all_close(a: [f64; 3], b: [f64; 3]) -> bool {
    a.into_iter().zip(b).all(|(a, b)| close(a, b))
}

fn baseline() -> Baseline {
    Baseline { values: [Some(45_000.0), Some(180.0), Some(0.02)] }
}

fn measured() -> Inputs {
    Inputs {
        connections: Some(Connections { connected: 100_000, reachable: 60_000 }),
        reach: Some(Share { part: 750, of: 1_000 }),
        repurchase: Share { part: 30, of: 100 },
        lifetime_value: Some(Ratio::new(60_000, 1)),
        referral: Some(Share { part: 8, of: 100 }),
        influence: Influence::CrossField(Share { part: 1, of: 4 }),
    }
}

#[test]
fn the_pillars_of_the_reference_come_out() {
    let pillars = Pillars::of(&measured());
    let [Some(a), Some(b), Some(c)] = pillars.values() else { panic!("{pillars:?}") };
    assert!(all_close([a, b, c], [45_000.0, 18_000.0, 0.02]), "{pillars:?}");
    // Sixty percent can be reached, and of those who were tried three of four were: 45 of 100.
    assert!(close(pillars.property.second.value().unwrap(), 0.45), "{pillars:?}");
    assert_eq!(pillars.flags, []);
}

#[test]
fn the_worked_example_gives_its_area_index_balance_and_split() {
    let now = [Some(70_200.0), Some(237.6), Some(0.03)];
    let triangle = Triangle::of(now, &baseline()).unwrap();
    assert!(all_close(triangle.ratios, [1.56, 1.32, 1.50]));
    assert!(close(triangle.area, 2.762_274_627_910_845));
    assert!(close(triangle.index, 212.64));
    assert!(close(triangle.balance, 145.634_162_575_016_66));
    let points = [44.986_666_666_666_665, 26.986_666_666_666_647, 40.666_666_666_666_664];
    assert!(all_close(triangle.shapley_index, points));
    let areas = [0.584_393_942_473_739_2, 0.350_567_083_451_940_54, 0.528_275_496_308_507_6];
    assert!(all_close(triangle.shapley_area, areas));
    let sum: f64 = triangle.shapley_index.iter().sum();
    assert!(close(sum, triangle.index - 100.0));
}

#[test]
fn the_baseline_against_itself_is_100_and_ten_percent_more_on_every_axis_is_121() {
    let same = Triangle::of(baseline().values, &baseline()).unwrap();
    assert!(close(same.index, 100.0) && close(same.area, BASELINE_AREA));
    let more = baseline().values.map(|value| value.map(|value| value * 1.1));
    assert!(close(Triangle::of(more, &baseline()).unwrap().index, 121.0));
}

#[test]
fn without_a_positive_baseline_or_a_value_there_is_no_area() {
    let now = baseline().values;
    for bad in [None, Some(0.0), Some(-1.0), Some(f64::NAN)] {
        let values = [now[0], bad, now[2]];
        assert_eq!(Triangle::of(now, &Baseline { values }), None, "{bad:?}");
    }
    assert_eq!(Triangle::of([now[0], None, now[2]], &baseline()), None);
    let clipped = Triangle::of([Some(1e9), Some(0.0), now[2]], &baseline()).unwrap();
    assert!(all_close(clipped.ratios, [10.0, 0.0, 1.0]));
}

#[test]
fn what_is_not_measured_is_said() {
    let nothing = Pillars::of(&Inputs::default());
    assert_eq!(nothing.values(), [None, None, None]);
    assert_eq!(
        nothing.flags,
        [
            Flag::ReachUnmeasured,
            Flag::ConnectionsUnmeasured,
            Flag::ReferralUnmeasured,
            Flag::InfluenceUnmeasured,
            Flag::ValueUnmeasured,
        ]
    );
    let untried = Inputs { reach: Some(Share { part: 0, of: 0 }), ..measured() };
    let pillars = Pillars::of(&untried);
    assert_eq!(pillars.property.value, Some(60_000.0));
    assert_eq!(pillars.flags, [Flag::ReachUnmeasured]);
    let breadth = Inputs { influence: Influence::Breadth(Ratio::new(5, 4)), ..measured() };
    let pillars = Pillars::of(&breadth);
    assert!(close(pillars.referral.value.unwrap(), 0.1));
    assert_eq!(pillars.flags, [Flag::InfluenceBreadth]);
    let nobody =
        Inputs { connections: Some(Connections { connected: 0, reachable: 0 }), ..measured() };
    assert_eq!(Pillars::of(&nobody).property.value, Some(0.0));
}
