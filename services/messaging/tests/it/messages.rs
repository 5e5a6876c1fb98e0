//! The methods of messages.

use siyu_grpc::fault;
use siyu_kernel::Code;
use siyu_proto::messaging::v1::*;
use siyu_testkit::{id, merchant};

use crate::{
    provider::{Fake, Mood},
    world::{World, person, receipt},
};

#[tokio::test]
async fn messages_are_listed_oldest_first_by_state() {
    let world = World::with(Fake::new(Mood::Fine)).await;
    world.member.add(merchant(1), 5);
    let campaign_id = world.start(1).await;
    world.prepare().await;
    let all = world.all(1, &campaign_id).await;
    let persons: Vec<String> = (1..=5).map(person).collect();
    assert_eq!(all.iter().map(|m| m.person_id.clone()).collect::<Vec<_>>(), persons);
    assert!(all.iter().all(|m| m.id.starts_with("msg_") && m.campaign_id == campaign_id));
    assert!(all.iter().all(|m| m.channel == "sandbox" && m.state() == MessageState::Queued));
    assert_eq!(all[0].state_time.unwrap().seconds, 1_717_200_000);
    let read = receipt("r", &all[3].id, MessageState::Read);
    assert_eq!(world.record(1, vec![read]).await.unwrap(), (1, 0));

    let list = async |state: i32, page_size: i32, page_token: &str| {
        let campaign_id = campaign_id.clone();
        let page_token = page_token.into();
        let request = ListMessagesRequest { campaign_id, page_size, page_token, state };
        world.messages(1).list_messages(request).await.map(tonic::Response::into_inner)
    };
    let read = list(MessageState::Read.into(), 0, "").await.unwrap().messages;
    assert_eq!(read.iter().map(|m| &m.id).collect::<Vec<_>>(), [&all[3].id]);
    let first = list(MessageState::Queued.into(), 3, "").await.unwrap();
    let rest = list(MessageState::Queued.into(), 3, &first.next_page_token).await.unwrap();
    assert_eq!((first.messages.len(), rest.messages.len()), (3, 1));
    assert_eq!((&rest.messages[0].id, rest.next_page_token.as_str()), (&all[4].id, ""));

    let refused = [
        ("page_token", list(0, 3, &first.next_page_token).await.unwrap_err()),
        ("state", list(99, 0, "").await.unwrap_err()),
        ("page_size", list(0, -1, "").await.unwrap_err()),
    ];
    for (field, status) in refused {
        assert_eq!(fault(status).violations()[0].field, field);
    }
}

#[tokio::test]
async fn messages_of_another_merchant_are_none() {
    let world = World::with(Fake::new(Mood::Fine)).await;
    world.member.add(merchant(1), 2);
    let campaign_id = world.start(1).await;
    world.prepare().await;
    let list = async |who, campaign_id: &str| {
        let request = ListMessagesRequest { campaign_id: campaign_id.into(), ..Default::default() };
        fault(world.messages(who).list_messages(request).await.unwrap_err())
    };
    assert_eq!(list(2, &campaign_id).await.code(), Code::NotFound);
    assert_eq!(list(1, "cmp").await.violations()[0].field, "campaign_id");
    let unknown = id::<siyu_kernel::kind::Campaign>(9).to_string();
    assert_eq!(list(1, &unknown).await.message(), "campaign not found");

    let all = world.all(1, &campaign_id).await;
    let read = |id: &str| receipt("r", id, MessageState::Read);
    assert_eq!(world.record(2, vec![read(&all[0].id)]).await.unwrap(), (0, 1));
    assert_eq!(world.all(1, &campaign_id).await, all);
    // The foreign receipt left nothing behind that could stand in the way of the merchant's own.
    assert_eq!(world.record(1, vec![read(&all[0].id)]).await.unwrap(), (1, 0));
}

#[tokio::test]
async fn what_is_wrong_with_a_receipt_is_named_by_its_field() {
    let world = World::new().await;
    let message = id::<siyu_kernel::kind::Message>(1).to_string();
    let good = || receipt("r", &message, MessageState::Read);
    let cases = [
        ("receipts[1].receipt_id", Receipt { receipt_id: String::new(), ..good() }),
        ("receipts[1].receipt_id", Receipt { receipt_id: "r".repeat(129), ..good() }),
        ("receipts[1].message_id", Receipt { message_id: "per_1".into(), ..good() }),
        ("receipts[1].state", Receipt { state: 0, ..good() }),
        ("receipts[1].state", Receipt { state: 99, ..good() }),
        ("receipts[1].state", Receipt { state: MessageState::Submitted.into(), ..good() }),
        ("receipts[1].state", Receipt { state: MessageState::Cancelled.into(), ..good() }),
        ("receipts[1].occur_time", Receipt { occur_time: None, ..good() }),
        (
            "receipts[1].occur_time",
            Receipt {
                occur_time: Some(prost_types::Timestamp { seconds: i64::MAX, nanos: 0 }),
                ..good()
            },
        ),
        ("receipts[1].failure", Receipt { failure: "f".repeat(201), ..good() }),
    ];
    for (field, bad) in cases {
        let fault = world.record(1, vec![good(), bad]).await.unwrap_err();
        assert_eq!(fault.violations()[0].field, field, "{fault:?}");
    }
    assert_eq!(world.record(1, vec![]).await.unwrap_err().violations()[0].field, "receipts");
    let many = vec![good(); 1001];
    assert_eq!(world.record(1, many).await.unwrap_err().violations()[0].field, "receipts");
    assert_eq!(world.record(1, vec![good(); 1000]).await.unwrap(), (0, 1000));
}
