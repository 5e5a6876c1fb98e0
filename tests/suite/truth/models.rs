//! The purchase models answer, and predict what came. Their formulas and fits are tested where they are written.

use std::collections::BTreeSet;

use siyu_proto::metrics::v1::GetPurchaseModelRequest;
use siyu_tests::support::{Sheet, ask, story};

use crate::demo::demo;

const CALIBRATION_END: &str = "1997-09-30";
/// From there to the last day of the orders.
const HOLD_OUT_DAYS: i32 = 273;

#[test]
fn a_model_of_three_quarters_predicts_the_purchases_of_the_next_three() {
    story(async {
        let merchant = &demo().await.merchant;
        let client = merchant.caller.client();
        let request = GetPurchaseModelRequest {
            calibration_end_day: CALIBRATION_END.to_owned(),
            horizon_days: HOLD_OUT_DAYS,
        };
        let model = ask(request, async |q| client.value().get_purchase_model(q).await).await;
        assert_eq!(model.persons, 23_570);
        for parameter in [model.r, model.alpha, model.a, model.b] {
            assert!(parameter > 0.0 && parameter < 100.0, "{model:?}");
        }
        assert!(model.log_likelihood < 0.0 && model.repeat_persons > 9_000, "{model:?}");
        let orders = Sheet::cdnow(23_570);
        let days: BTreeSet<(&str, &str)> = orders
            .rows
            .iter()
            .map(|row| (orders.field(row, "buyer_id"), orders.field(row, "paid_at")))
            .filter(|(_, day)| *day > CALIBRATION_END)
            .collect();
        let came = f64::from(u32::try_from(days.len()).unwrap());
        // The papers miss the hold-out of the sample by 12 percent.
        let missed = (model.expected_purchases / came - 1.0).abs();
        assert!(missed < 0.2, "{} expected, {came} came", model.expected_purchases);
    });
}
