use std::path::{Path, PathBuf};
use std::process::Command;

/// A disk that fails on command: a library in front of libc, for the files of one folder.
pub(super) struct Disk {
    /// What lies on it.
    folder: PathBuf,
    /// Where orders and copies are.
    beside: PathBuf,
}

impl Disk {
    /// The disk under `folder`, with what it is told in `beside`.
    pub(super) fn under(folder: &Path, beside: &Path) -> Self {
        let disk = Self {
            folder: folder.to_owned(),
            beside: beside.to_owned(),
        };
        let made = Command::new("cc")
            .args(["-shared", "-fPIC", "-O1", "-Wall", "-Wextra", "-Werror"])
            .arg("-o")
            .arg(disk.library())
            .arg(concat!(
                env!("CARGO_MANIFEST_DIR"),
                "/tests/it/faults/shim.c"
            ))
            .args(["-ldl", "-lpthread"])
            .status()
            .expect("a C compiler, as the README asks for");
        assert!(made.success());
        disk
    }

    fn library(&self) -> PathBuf {
        self.beside.join("shim.so")
    }

    fn order_file(&self) -> PathBuf {
        self.beside.join("order")
    }

    fn durable(&self) -> PathBuf {
        self.beside.join("durable")
    }

    /// Puts a program's files on it.
    pub(super) fn arm(&self, command: &mut Command) {
        command
            .env("LD_PRELOAD", self.library())
            .env("WARIFU_FAULT_FOLDER", &self.folder)
            .env("WARIFU_FAULT_ORDER", self.order_file());
    }

    /// From now on what would be left by a power cut is known, beginning with what there is.
    pub(super) fn keep_what_is_durable(&self, command: &mut Command) {
        // What is there from before a power cut is gone with it.
        let _ = std::fs::remove_dir_all(self.durable());
        std::fs::create_dir(self.durable()).unwrap();
        for file in databases(&self.folder) {
            std::fs::copy(&file, self.durable().join(file.file_name().unwrap())).unwrap();
        }
        command.env("WARIFU_FAULT_DURABLE", self.durable());
    }

    /// The power is gone: the databases are what came to the disk. Nobody may have them open.
    pub(super) fn cut_the_power(&self) {
        for file in databases(&self.folder) {
            std::fs::remove_file(file).unwrap();
        }
        for file in databases(&self.durable()) {
            std::fs::copy(&file, self.folder.join(file.file_name().unwrap())).unwrap();
        }
    }

    pub(super) fn order(&self, order: &str) {
        let new = self.beside.join("order.new");
        std::fs::write(&new, order).unwrap();
        std::fs::rename(new, self.order_file()).unwrap();
    }

    /// Whether an order that is for once was carried out.
    pub(super) fn obeyed(&self) -> bool {
        !self.order_file().exists()
    }

    pub(super) fn heal(&self) {
        if !self.obeyed() {
            std::fs::remove_file(self.order_file()).unwrap();
        }
    }
}

fn databases(folder: &Path) -> Vec<PathBuf> {
    std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.to_str().unwrap().contains(".db"))
        .collect()
}

pub(super) fn open_to_all(folder: &Path) {
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(folder, mode).unwrap();
}
