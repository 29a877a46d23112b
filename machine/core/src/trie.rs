//! An incremental Merkle Patricia trie over preimages by hash: nodes load when they are needed, and what changed is hashed once
//! per commit.
use crate::{
    fault::Fault,
    node_codec::{HASH_BYTES, Link, Loaded, Node, Path, Reference, decode, encode},
    preimage::{Kind, Preimages},
};
use alloc::{boxed::Box, vec::Vec};
use alloy_primitives::{B256, keccak256};

pub const EMPTY_ROOT: B256 = alloy_trie::EMPTY_ROOT_HASH;

/// Keys are 32-byte hashes. After a fault a trie must be thrown away: a node may be half changed.
#[derive(Default)]
pub struct Trie {
    root: Link,
    /// How many commits there were: the clock of `forget`.
    commits: u32,
    /// Nodes in memory, about: what was loaded or made since the last `forget`.
    loaded: usize,
}

/// What the recursive functions need beside the node: where preimages are, and the counters.
struct Access<'a, P> {
    preimages: &'a mut P,
    now: u32,
    loaded: &'a mut usize,
}

impl Trie {
    pub fn open(root: B256) -> Trie {
        let root = if root == EMPTY_ROOT { Link::None } else { Link::Hash(root) };
        Trie { root, commits: 0, loaded: 0 }
    }

    pub fn loaded(&self) -> usize {
        self.loaded
    }

    pub fn get<P: Preimages>(&mut self, key: &B256, preimages: &mut P) -> Result<Option<Vec<u8>>, Fault> {
        let path = Path::of_key(key);
        let mut rest = path.as_slice();
        let mut access = Access { preimages, now: self.commits, loaded: &mut self.loaded };
        let mut link = &mut self.root;
        loop {
            let Some(loaded) = load(link, &mut access)? else { return Ok(None) };
            match &mut loaded.node {
                Node::Leaf(end, value) => return Ok((end.as_slice() == rest).then(|| value.clone())),
                Node::Extension(part, child) => {
                    let Some(below) = rest.strip_prefix(part.as_slice()) else { return Ok(None) };
                    (link, rest) = (child, below);
                }
                Node::Branch(children) => {
                    let (nibble, below) = rest.split_first().ok_or(Fault::Malformed("trie"))?;
                    (link, rest) = (&mut children[usize::from(*nibble)], below);
                }
            }
        }
    }

    /// Sets or, with `None`, removes a value. A value that is there already changes nothing.
    pub fn put<P: Preimages>(&mut self, key: &B256, value: Option<Vec<u8>>, preimages: &mut P) -> Result<(), Fault> {
        let path = Path::of_key(key);
        let mut access = Access { preimages, now: self.commits, loaded: &mut self.loaded };
        match value {
            Some(value) => insert(&mut self.root, path.as_slice(), value, &mut access)?,
            None => remove(&mut self.root, path.as_slice(), &mut access)?,
        };
        Ok(())
    }

    /// Hashes what changed, hands new nodes out (children before parents) and returns the root.
    pub fn commit<P: Preimages>(&mut self, preimages: &mut P) -> B256 {
        self.commits += 1;
        match &mut self.root {
            Link::None => EMPTY_ROOT,
            Link::Hash(hash) => *hash,
            Link::Node(loaded) => {
                if let Some(hash) = loaded.reference.and_then(|reference| reference.hash()) {
                    return hash;
                }
                // A root is known by its hash, however short it is.
                let hash = hash_node(&encode(&mut loaded.node, |child| refer(child, preimages)), preimages);
                loaded.reference = Some(Reference::of_hash(&hash));
                hash
            }
        }
    }

    /// Forgets nodes that no get or put touched in the last `commits` commits. To be called after a commit.
    pub fn forget(&mut self, commits: u32) {
        let before = self.commits.saturating_sub(commits);
        self.loaded = 0;
        forget(&mut self.root, before, &mut self.loaded);
    }
}

/// The node behind a link, loaded if it was not; `None` where there is no node.
fn load<'a, P: Preimages>(link: &'a mut Link, access: &mut Access<P>) -> Result<Option<&'a mut Loaded>, Fault> {
    if let Link::Hash(hash) = link {
        let node = decode(&access.preimages.get(Kind::Node, hash)?)?;
        *access.loaded += 1;
        *link = Link::Node(Box::new(Loaded { node, reference: Some(Reference::of_hash(hash)), used: access.now }));
    }
    match link {
        Link::Node(loaded) => {
            loaded.used = access.now;
            Ok(Some(loaded))
        }
        _ => Ok(None),
    }
}

fn shared_prefix(a: &[u8], b: &[u8]) -> usize {
    a.iter().zip(b).take_while(|(x, y)| x == y).count()
}

/// Returns whether anything changed.
fn insert<P: Preimages>(link: &mut Link, path: &[u8], value: Vec<u8>, access: &mut Access<P>) -> Result<bool, Fault> {
    let Some(loaded) = load(link, access)? else {
        *access.loaded += 1;
        *link = Link::fresh(Node::Leaf(Path::of(path), value));
        return Ok(true);
    };
    let changed = match &mut loaded.node {
        Node::Leaf(end, old) if end.as_slice() == path => {
            let changed = *old != value;
            *old = value;
            changed
        }
        Node::Extension(part, child) if path.starts_with(part.as_slice()) => {
            insert(child, &path[part.len()..], value, access)?
        }
        Node::Branch(children) => {
            let (nibble, below) = path.split_first().ok_or(Fault::Malformed("trie"))?;
            insert(&mut children[usize::from(*nibble)], below, value, access)?
        }
        Node::Leaf(..) | Node::Extension(..) => {
            let node = core::mem::replace(&mut loaded.node, Node::Leaf(Path::of(&[]), Vec::new()));
            *access.loaded += 2;
            *link = split(node, path, value)?;
            return Ok(true);
        }
    };
    if changed {
        loaded.reference = None;
    }
    Ok(changed)
}

/// A branch where a leaf or an extension and a new key part.
fn split(node: Node, path: &[u8], value: Vec<u8>) -> Result<Link, Fault> {
    let (part, rest) = match node {
        Node::Leaf(part, value) => (part, Err(value)),
        Node::Extension(part, child) => (part, Ok(child)),
        Node::Branch(_) => return Err(Fault::Malformed("trie")),
    };
    let shared = shared_prefix(part.as_slice(), path);
    // Keys have one length: neither ends where they part.
    let (&old_nibble, old_rest) = part.as_slice()[shared..].split_first().ok_or(Fault::Malformed("trie"))?;
    let (&new_nibble, new_rest) = path[shared..].split_first().ok_or(Fault::Malformed("trie"))?;
    let mut children: Box<[Link; 16]> = Box::default();
    children[usize::from(old_nibble)] = match rest {
        Err(old) => Link::fresh(Node::Leaf(Path::of(old_rest), old)),
        Ok(child) if old_rest.is_empty() => child,
        Ok(child) => Link::fresh(Node::Extension(Path::of(old_rest), child)),
    };
    children[usize::from(new_nibble)] = Link::fresh(Node::Leaf(Path::of(new_rest), value));
    let branch = Link::fresh(Node::Branch(children));
    Ok(if shared == 0 { branch } else { Link::fresh(Node::Extension(Path::of(&path[..shared]), branch)) })
}

/// Returns whether anything changed.
fn remove<P: Preimages>(link: &mut Link, path: &[u8], access: &mut Access<P>) -> Result<bool, Fault> {
    let Some(loaded) = load(link, access)? else { return Ok(false) };
    let changed = match &mut loaded.node {
        Node::Leaf(end, _) if end.as_slice() == path => {
            *link = Link::None;
            return Ok(true);
        }
        Node::Leaf(..) => false,
        Node::Extension(part, child) => {
            path.starts_with(part.as_slice()) && remove(child, &path[part.len()..], access)?
        }
        Node::Branch(children) => {
            let (nibble, below) = path.split_first().ok_or(Fault::Malformed("trie"))?;
            remove(&mut children[usize::from(*nibble)], below, access)?
        }
    };
    if changed {
        loaded.reference = None;
        collapse(link, access)?;
    }
    Ok(changed)
}

/// Brings a node below which something was removed into the one form that its keys have.
fn collapse<P: Preimages>(link: &mut Link, access: &mut Access<P>) -> Result<(), Fault> {
    let Link::Node(loaded) = link else { return Ok(()) };
    let (part, mut child) = match &mut loaded.node {
        Node::Leaf(..) => return Ok(()),
        Node::Extension(part, child) => (*part, core::mem::take(child)),
        Node::Branch(children) => {
            let mut left = children.iter_mut().enumerate().filter(|(_, child)| !matches!(child, Link::None));
            let Some((nibble, only)) = left.next() else { return Err(Fault::Malformed("trie")) };
            if left.next().is_some() {
                return Ok(());
            }
            (Path::of(&[nibble as u8]), core::mem::take(only))
        }
    };
    let Some(below) = load(&mut child, access)? else { return Err(Fault::Malformed("trie")) };
    let joined = |rest: &Path| Path::join(part.as_slice(), rest.as_slice()).ok_or(Fault::Malformed("trie"));
    *link = Link::fresh(match &mut below.node {
        Node::Leaf(rest, value) => Node::Leaf(joined(rest)?, core::mem::take(value)),
        Node::Extension(rest, next) => Node::Extension(joined(rest)?, core::mem::take(next)),
        Node::Branch(_) => Node::Extension(part, child),
    });
    Ok(())
}

fn hash_node<P: Preimages>(rlp: &[u8], preimages: &mut P) -> B256 {
    let hash = keccak256(rlp);
    preimages.put(Kind::Node, hash, rlp);
    hash
}

fn refer<P: Preimages>(loaded: &mut Loaded, preimages: &mut P) -> Reference {
    if let Some(reference) = loaded.reference {
        return reference;
    }
    let rlp = encode(&mut loaded.node, |child| refer(child, preimages));
    let reference =
        if rlp.len() < HASH_BYTES { Reference::of_node(&rlp) } else { Reference::of_hash(&hash_node(&rlp, preimages)) };
    loaded.reference = Some(reference);
    reference
}

fn forget(link: &mut Link, before: u32, kept: &mut usize) {
    let Link::Node(loaded) = link else { return };
    if loaded.used == u32::MAX {
        // Made since it was last looked at; its age is counted from now.
        loaded.used = before;
    }
    if loaded.used < before
        && let Some(hash) = loaded.reference.and_then(|reference| reference.hash())
    {
        *link = Link::Hash(hash);
        return;
    }
    *kept += 1;
    match &mut loaded.node {
        Node::Leaf(..) => {}
        Node::Extension(_, child) => forget(child, before, kept),
        Node::Branch(children) => children.iter_mut().for_each(|child| forget(child, before, kept)),
    }
}
