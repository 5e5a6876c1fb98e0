//! The purchase models on the 1/10 sample of the papers: published and refitted parameters, twelve persons, the hold-out.
#![expect(
    clippy::float_arithmetic,
    reason = "the models are floating point, and so are their published values"
)]

use serde_json::Value;
use siyu_kernel::LocalDay;

use super::data::{cube, day, facts, rows, truth};
use crate::engine::{
    History,
    model::{BgNbd, Customer, GammaGamma, Spender, Unit},
};

const WEEKS: f64 = 39.0;

fn models() -> Value {
    truth()["sample_and_models"].clone()
}

/// The summary that the papers ship: x, `t_x` and T in weeks with two decimals, and the mean repeat spend.
fn summary() -> Vec<(Customer, Spender)> {
    let row = |row: csv::StringRecord| {
        let number = |column: usize| row[column].parse::<f64>().unwrap();
        let x = row[1].parse().unwrap();
        let customer = Customer { x, t_x: number(2), age: number(3) };
        (customer, Spender { x, total: number(4) * f64::from(x) })
    };
    rows("cdnow_sample_summary.csv").into_iter().map(row).collect()
}

fn calibration_end() -> LocalDay {
    day("1997-09-30")
}

fn histories() -> Vec<History> {
    cube(&facts("cdnow_sample.csv")).histories(calibration_end())
}

fn parameters<const N: usize>(of: &Value, names: [&str; N]) -> [f64; N] {
    names.map(|name| of[name].as_f64().unwrap())
}

fn bgnbd(of: &Value) -> BgNbd {
    let [r, alpha, a, b] = parameters(of, ["r", "alpha", "a", "b"]);
    BgNbd::new(r, alpha, a, b).unwrap()
}

fn gamma_gamma(of: &Value) -> GammaGamma {
    let [p, q, gamma] = parameters(of, ["p", "q", "gamma"]);
    GammaGamma::new(p, q, gamma).unwrap()
}

#[track_caller]
fn assert_close(value: f64, expected: f64, relative: f64) {
    assert!((value - expected).abs() <= relative * expected.abs(), "{value} against {expected}");
}

#[test]
fn histories_rebuilt_from_orders_equal_the_shipped_summary() {
    let (histories, summary) = (histories(), summary());
    let check = &models()["sample_summary"];
    assert_eq!(histories.len(), summary.len());
    for (history, (shipped, spender)) in histories.iter().zip(&summary) {
        let customer = history.customer(Unit::WEEK);
        assert_eq!(customer.x, shipped.x);
        assert!((customer.t_x - shipped.t_x).abs() <= 0.005 + 1e-9, "{history:?} {shipped:?}");
        assert!((customer.age - shipped.age).abs() <= 0.005 + 1e-9, "{history:?} {shipped:?}");
        let rounding = 0.005_000_1 * f64::from(customer.x);
        assert!((history.spender(100).total - spender.total).abs() <= rounding, "{history:?}");
    }
    let repeats: u32 = histories.iter().map(|history| history.repeats).sum();
    let repeaters = histories.iter().filter(|history| history.repeats > 0).count();
    assert_eq!(u64::from(repeats), check["sum_x"].as_u64().unwrap());
    assert_eq!(repeaters as u64, check["customers_x_gt0"].as_u64().unwrap());
}

#[test]
fn twelve_persons_have_their_published_values_under_both_parameter_sets() {
    let truth = models();
    let sets = [
        (
            "published_params",
            "bgnbd_published",
            "gammagamma_published",
            "gg_population_mean_published",
        ),
        ("refit_params", "bgnbd_mle_refit", "gammagamma_mle_refit", "gg_population_mean_refit"),
    ];
    for (set, how_often, how_much, mean) in sets {
        let (often, much) = (bgnbd(&truth[how_often]), gamma_gamma(&truth[how_much]));
        assert_close(much.population_mean().unwrap(), truth[mean].as_f64().unwrap(), 1e-6);
        for person in truth["examples"].as_array().unwrap() {
            let number = |key: &str| person[key].as_f64().unwrap();
            let x = u32::try_from(person["x"].as_u64().unwrap()).unwrap();
            let customer = Customer { x, t_x: number("t_x"), age: number("T") };
            let spender = Spender { x, total: number("zbar") * f64::from(x) };
            let expected = |key: &str| person[set][key].as_f64().unwrap();
            assert_close(often.p_alive(&customer), expected("p_alive"), 1e-6);
            let purchases = often.expected(&customer, WEEKS).unwrap();
            assert_close(purchases, expected("expected_purchases_39w"), 1e-6);
            let spend = much.expected_spend(&spender).unwrap();
            assert_close(spend, expected("gg_expected_value"), 1e-6);
        }
    }
}

#[test]
fn expectations_of_new_persons_and_of_the_whole_sample_equal_the_published_ones() {
    let truth = models();
    let model = bgnbd(&truth["bgnbd_published"]);
    for (weeks, expected) in truth["EX_t_published"].as_object().unwrap() {
        let value = model.expected_new(weeks.parse().unwrap()).unwrap();
        assert_close(value, expected.as_f64().unwrap(), 1e-6);
    }
    let example = &truth["fhl_note_example"];
    let customer = Customer { x: 2, t_x: 30.43, age: 38.86 };
    let value = model.expected(&customer, WEEKS).unwrap();
    assert_close(value, example["expected"].as_f64().unwrap(), 1e-6);
    assert_eq!(format!("{value:.3}"), example["published"].to_string());
    let sums = [
        ("bgnbd_published", "sum_expected_39w_published"),
        ("bgnbd_mle_refit", "sum_expected_39w_refit"),
    ];
    for (parameters, sum) in sums {
        let model = bgnbd(&truth[parameters]);
        let total: f64 =
            summary().iter().map(|(customer, _)| model.expected(customer, WEEKS).unwrap()).sum();
        assert_close(total, truth[sum].as_f64().unwrap(), 1e-6);
    }
}

#[test]
fn the_fit_of_bgnbd_finds_the_published_parameters() {
    let truth = models();
    let customers: Vec<_> = summary().into_iter().map(|(customer, _)| customer).collect();
    let refit = &truth["bgnbd_mle_refit"];
    let fit = BgNbd::fit(&customers).unwrap();
    let found = [fit.model.r, fit.model.alpha, fit.model.a, fit.model.b];
    for (found, expected) in found.into_iter().zip(parameters(refit, ["r", "alpha", "a", "b"])) {
        assert_close(found, expected, 1e-5);
    }
    let [likelihood] = parameters(refit, ["log_likelihood"]);
    assert_close(fit.log_likelihood, likelihood, 1e-9);
    // It is a maximum, and the likelihood of the published parameters is the published one.
    let published = bgnbd(&truth["bgnbd_published"]).log_likelihood(&customers).unwrap();
    assert_close(published, truth["ll_at_published_params"].as_f64().unwrap(), 1e-9);
    assert!(published < fit.log_likelihood);
    assert_eq!((fit.persons, fit.repeaters), (2_357, 946));
}

#[test]
fn the_fit_of_gamma_gamma_finds_the_published_parameters() {
    let refit = &models()["gammagamma_mle_refit"];
    let spenders: Vec<_> = summary().into_iter().map(|(_, spender)| spender).collect();
    let fit = GammaGamma::fit(&spenders).unwrap();
    let found = [fit.model.p, fit.model.q, fit.model.gamma];
    for (found, expected) in found.into_iter().zip(parameters(refit, ["p", "q", "gamma"])) {
        assert_close(found, expected, 1e-3);
    }
    let [likelihood] = parameters(refit, ["log_likelihood"]);
    assert_close(fit.log_likelihood, likelihood, 1e-7);
    assert!(fit.log_likelihood >= likelihood - 1e-6, "{fit:?}");
    assert_eq!(fit.persons as u64, refit["n_customers"].as_u64().unwrap());
    assert!(fit.correlation.is_some_and(|c| c.abs() < 0.2), "{fit:?}");
}

#[test]
fn histories_in_days_and_orders_in_any_order_give_the_same_fit() {
    let mut histories = histories();
    let fit = |histories: &[History], unit| {
        let customers: Vec<_> = histories.iter().map(|history| history.customer(unit)).collect();
        BgNbd::fit(&customers).unwrap()
    };
    let weeks = fit(&histories, Unit::WEEK);
    histories.reverse();
    assert_eq!(fit(&histories, Unit::WEEK), weeks);
    let days = fit(&histories, Unit::DAY).model;
    assert_close(days.alpha / 7.0, weeks.model.alpha, 1e-6);
    assert_close(days.r, weeks.model.r, 1e-6);
    // Unrounded times: near the published parameters, not equal to those of the rounded summary.
    assert_close(weeks.model.b, 2.426, 1e-2);
    let refit = BgNbd::new(0.242_593, 4.413_531, 0.792_886, 2.425_753).unwrap();
    let customers: Vec<_> = histories.iter().map(|history| history.customer(Unit::WEEK)).collect();
    assert!((weeks.log_likelihood - refit.log_likelihood(&customers).unwrap()).abs() < 0.01);
}

#[test]
fn the_holdout_has_the_published_number_of_purchase_days() {
    let cube = cube(&facts("cdnow_sample.csv"));
    let all = cube.histories(day("1998-06-30"));
    let later: u32 = all.iter().map(|h| h.repeats).sum::<u32>()
        - histories().iter().map(|h| h.repeats).sum::<u32>();
    let truth = models();
    let key = "actual_holdout_customer_days_after_1997_09_30";
    assert_eq!(u64::from(later), truth[key].as_u64().unwrap());
}
