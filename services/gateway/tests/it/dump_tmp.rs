#[tokio::test]
async fn dump() {
    let world = crate::world::World::new().await;
    for (path, file) in [("/docs", "/tmp/gw-docs.html"), ("/openapi.json", "/tmp/gw-openapi.json")]
    {
        std::fs::write(file, &world.get(path, "").await.body).unwrap();
    }
}
