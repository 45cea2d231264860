//! What is written is what is read.

use super::{PidFile, Told};

#[test]
fn a_pid_file_says_who_relays_and_why_an_upgrade_failed() {
    let path = std::env::temp_dir().join(format!("posthouse-pid-{}", std::process::id()));
    let file = PidFile::of(Some(&path), None);
    let process = std::process::id();
    assert_eq!(file.read(), None);
    file.write();
    assert_eq!(file.read(), Some(Told { process, failures: 0, reason: String::new() }));
    file.note(2, "one line\nand another");
    assert_eq!(file.read(), Some(Told { process, failures: 2, reason: "one line\nand another".to_owned() }));
    // Another process's is not this one's to remove.
    std::fs::write(&path, "1\n").expect("a file can be written");
    file.remove();
    assert_eq!(file.read().map(|told| told.process), Some(1));
    file.write();
    file.remove();
    assert!(!path.exists());
}
