//! The same suite as six processes on PostgreSQL and NATS JetStream: the same answers, and none lost when one of them dies.

use siyu::host::services::Service;
use siyu_tests::support::{
    CUSTOMERS, HEAVY, LIMIT, Merchant, Sheet, Six, assert_same, books, heads, reference, report,
    run_until_idle, story, until,
};

#[test]
fn six_processes_report_what_one_does_though_metrics_is_killed_on_the_way() {
    story(async {
        let reference = reference().await;
        let _alone = HEAVY.lock().await;
        let mut six = Six::start().await;
        let place = six.place();
        let merchant = Merchant::open(&place, "America/New_York", "USD").await;
        let sheet = Sheet::cdnow(CUSTOMERS);
        let rows = sheet.rows.len() as u64;
        let killed = async {
            until("a part of the orders is stored", LIMIT, async || {
                let told = heads(&place).await?["order"];
                (told > 1_000).then_some(())
            })
            .await;
            six.kill9(Service::Metrics);
            let told = heads(&place).await.unwrap()["order"];
            assert!(u64::try_from(told).unwrap() < rows, "{told} of {rows}: it came too late");
        };
        let (summary, ()) = tokio::join!(merchant.import(&sheet), killed);
        assert_eq!(summary.created, rows, "{summary:?}");
        six.start_one(Service::Metrics);
        six.wait_for(Service::Metrics).await;
        run_until_idle(&place).await;
        assert_same("the report", &report(&merchant).await, &reference.report);
        assert_eq!(books(&merchant).await, reference.books);
        six.stop().await;
    });
}
