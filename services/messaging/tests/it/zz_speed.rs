use crate::world::World;
use siyu_testkit::merchant;
#[tokio::test]
#[ignore]
async fn zz_speed() {
    let world = World::new().await;
    let n = std::env::var("N").unwrap().parse().unwrap();
    world.member.add(merchant(1), n);
    let t = std::time::Instant::now();
    let _c = world.start(1).await;
    world.prepare().await;
    eprintln!("prepare {:?}", t.elapsed());
    let t = std::time::Instant::now();
    let mut k = 0;
    while world.app.dispatch_once().await.unwrap() == siyu_messaging::job::Progress::Worked { k += 1; if k % 20 == 0 { eprintln!("dispatch {k} {:?}", t.elapsed()); } }
    let t = std::time::Instant::now();
    let mut k = 0;
    while world.app.receive_once().await.unwrap() == siyu_messaging::job::Progress::Worked { k += 1; if k % 20 == 0 { eprintln!("receive {k} {:?}", t.elapsed()); } }
    let t = std::time::Instant::now();
    world.look(&_c).await;
    eprintln!("look {:?}", t.elapsed());
}
