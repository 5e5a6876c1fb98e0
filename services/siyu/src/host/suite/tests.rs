//! Starts that go no further.

use super::*;

fn addr(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

#[test]
fn two_ports_of_one_address_are_refused_and_blamed_on_themselves() {
    let twice = apart(addr("127.0.0.1:7070"), addr("0.0.0.0:7070")).unwrap_err();
    assert_eq!(twice.exit, crate::exit::Exit::Usage);
    assert!(twice.message.contains("--grpc 127.0.0.1:7070"), "{twice}");
    for (grpc, http) in [
        ("127.0.0.1:0", "127.0.0.1:0"),
        ("127.0.0.1:7070", "127.0.0.1:7080"),
        ("127.0.0.1:7070", "127.0.0.2:7070"),
    ] {
        apart(addr(grpc), addr(http)).unwrap();
    }
}

#[tokio::test]
async fn a_data_directory_that_is_a_file_is_called_so() {
    let any = addr("127.0.0.1:0");
    let data_dir = PathBuf::from("/etc/passwd");
    let options = Options { data_dir, grpc: any, http: any, durability: Durability::Volatile };
    let failure = Suite::start(options).await.err().unwrap();
    assert_eq!(failure.message, "the data directory /etc/passwd is a file");
}

#[tokio::test]
async fn a_stop_before_the_first_start_is_done_leaves_nothing_running() {
    let (any, stop) = (addr("127.0.0.1:0"), CancellationToken::new());
    let data_dir = std::env::temp_dir().join(format!("siyu-{}-stopped", std::process::id()));
    let pid_file = data_dir.join("postgres/data/postmaster.pid");
    let durability = Durability::Volatile;
    let options = Options { data_dir: data_dir.clone(), grpc: any, http: any, durability };
    stop.cancel();
    assert!(Suite::start_unless(options, &stop).await.unwrap().is_none());
    assert!(data_dir.join("postgres/data").exists() && !pid_file.exists());
    fs::remove_dir_all(data_dir).unwrap();
}
