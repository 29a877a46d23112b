//! Nodes of Ethereum's Merkle Patricia trie (Yellow Paper, appendix D) and their RLP. Keys are 32 bytes, so no branch has a value.
use crate::{
    fault::Fault,
    rlp::{self, Item},
};
use alloc::{boxed::Box, vec::Vec};
use alloy_primitives::B256;

const MAX_NIBBLES: usize = 64;
/// A node whose RLP is shorter stands in its parent itself; a longer one by its hash.
pub const HASH_BYTES: usize = 32;
const EMPTY_STRING: u8 = 0x80;

/// A piece of a key, one nibble a byte.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Path {
    length: u8,
    nibbles: [u8; MAX_NIBBLES],
}

impl Path {
    pub fn of_key(key: &B256) -> Path {
        let mut nibbles = [0; MAX_NIBBLES];
        for (i, byte) in key.iter().enumerate() {
            nibbles[2 * i] = byte >> 4;
            nibbles[2 * i + 1] = byte & 15;
        }
        Path { length: MAX_NIBBLES as u8, nibbles }
    }

    /// `part` must not be longer than a key.
    pub fn of(part: &[u8]) -> Path {
        let mut nibbles = [0; MAX_NIBBLES];
        nibbles[..part.len()].copy_from_slice(part);
        Path { length: part.len() as u8, nibbles }
    }

    /// `None` when the two are longer than a key together: no trie that we made has such a path.
    pub fn join(first: &[u8], second: &[u8]) -> Option<Path> {
        let length = first.len() + second.len();
        if length > MAX_NIBBLES {
            return None;
        }
        let mut path = Path::of(first);
        path.nibbles[first.len()..length].copy_from_slice(second);
        path.length = length as u8;
        Some(path)
    }

    pub fn as_slice(&self) -> &[u8] {
        &self.nibbles[..usize::from(self.length)]
    }

    pub fn len(&self) -> usize {
        usize::from(self.length)
    }

    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// Hex-prefix encoding (appendix C).
    fn put(&self, is_leaf: bool, out: &mut Vec<u8>) {
        let nibbles = self.as_slice();
        let flag = if is_leaf { 0x20 } else { 0 };
        let (head, rest) =
            if nibbles.len() % 2 == 1 { (flag | 0x10 | nibbles[0], &nibbles[1..]) } else { (flag, nibbles) };
        let mut bytes = [0u8; 33];
        bytes[0] = head;
        for (i, pair) in rest.chunks_exact(2).enumerate() {
            bytes[i + 1] = pair[0] << 4 | pair[1];
        }
        rlp::put_bytes(&bytes[..1 + rest.len() / 2], out);
    }

    fn parse(bytes: &[u8]) -> Option<(Path, bool)> {
        let (&head, rest) = bytes.split_first()?;
        let is_odd = head & 0x10 != 0;
        if head >> 4 > 3 || rest.len() > 32 || (!is_odd && head & 15 != 0) || (is_odd && rest.len() == 32) {
            return None;
        }
        let mut path = Path::of(&[]);
        let mut push = |nibble: u8| {
            path.nibbles[usize::from(path.length)] = nibble;
            path.length += 1;
        };
        if is_odd {
            push(head & 15);
        }
        for byte in rest {
            push(byte >> 4);
            push(byte & 15);
        }
        Some((path, head & 0x20 != 0))
    }
}

/// A node as its parent has it: the RLP of its hash, or its own RLP when that is shorter than a hash.
#[derive(Clone, Copy)]
pub struct Reference {
    length: u8,
    bytes: [u8; HASH_BYTES + 1],
}

impl Reference {
    pub fn of_hash(hash: &B256) -> Reference {
        let mut bytes = [0xa0; HASH_BYTES + 1];
        bytes[1..].copy_from_slice(hash.as_slice());
        Reference { length: bytes.len() as u8, bytes }
    }

    /// `rlp` must be shorter than a hash.
    pub fn of_node(rlp: &[u8]) -> Reference {
        let mut bytes = [0; HASH_BYTES + 1];
        bytes[..rlp.len()].copy_from_slice(rlp);
        Reference { length: rlp.len() as u8, bytes }
    }

    pub fn hash(&self) -> Option<B256> {
        (usize::from(self.length) == HASH_BYTES + 1).then(|| B256::from_slice(&self.bytes[1..]))
    }

    fn as_slice(&self) -> &[u8] {
        &self.bytes[..usize::from(self.length)]
    }
}

/// A child: nothing, a node that is not loaded, or one that is.
#[derive(Default)]
pub enum Link {
    #[default]
    None,
    Hash(B256),
    Node(Box<Loaded>),
}

/// A node in memory. `reference` is what its parent has; `None` when the node changed since.
pub struct Loaded {
    pub node: Node,
    pub reference: Option<Reference>,
    /// The commit before which it was last used.
    pub used: u32,
}

pub enum Node {
    Leaf(Path, Vec<u8>),
    Extension(Path, Link),
    Branch(Box<[Link; 16]>),
}

impl Link {
    /// A node that is not in any parent yet.
    pub fn fresh(node: Node) -> Link {
        Link::Node(Box::new(Loaded { node, reference: None, used: u32::MAX }))
    }
}

/// Appends the RLP of a node. The references of its children, in order, come from `refer`.
pub fn encode(node: &mut Node, mut refer: impl FnMut(&mut Loaded) -> Reference) -> Vec<u8> {
    let mut payload = Vec::with_capacity(540);
    let mut put_link = |link: &mut Link, out: &mut Vec<u8>| match link {
        Link::None => out.push(EMPTY_STRING),
        Link::Hash(hash) => out.extend_from_slice(Reference::of_hash(hash).as_slice()),
        Link::Node(loaded) => out.extend_from_slice(refer(loaded).as_slice()),
    };
    match node {
        Node::Branch(children) => {
            for child in children.iter_mut() {
                put_link(child, &mut payload);
            }
            payload.push(EMPTY_STRING);
        }
        Node::Extension(path, child) => {
            path.put(false, &mut payload);
            put_link(child, &mut payload);
        }
        Node::Leaf(path, value) => {
            path.put(true, &mut payload);
            rlp::put_bytes(value, &mut payload);
        }
    }
    let mut out = Vec::with_capacity(payload.len() + 3);
    rlp::put_list(&payload, &mut out);
    out
}

/// Reads the RLP of a node.
pub fn decode(bytes: &[u8]) -> Result<Node, Fault> {
    let payload = rlp::only_list(bytes).ok_or(Fault::Malformed("trie node"))?;
    parse(payload).ok_or(Fault::Malformed("trie node"))
}

fn parse(payload: &[u8]) -> Option<Node> {
    let mut rest = payload;
    let first = take_child(&mut rest)?;
    let second = take_child(&mut rest)?;
    if rest.is_empty() {
        let Item::Bytes(encoded) = first.item else { return None };
        let (path, is_leaf) = Path::parse(encoded)?;
        return match (is_leaf, second.item) {
            (true, Item::Bytes(value)) => Some(Node::Leaf(path, value.to_vec())),
            (true, Item::List(_)) => None,
            (false, _) => Some(Node::Extension(path, link(second)?)),
        };
    }
    let mut children: Box<[Link; 16]> = Box::default();
    children[0] = link(first)?;
    children[1] = link(second)?;
    for child in &mut children[2..] {
        *child = link(take_child(&mut rest)?)?;
    }
    let value = rlp::take_bytes(&mut rest)?;
    (value.is_empty() && rest.is_empty()).then_some(Node::Branch(children))
}

struct Child<'a> {
    item: Item<'a>,
    encoded: &'a [u8],
}

fn take_child<'a>(input: &mut &'a [u8]) -> Option<Child<'a>> {
    let whole = *input;
    let item = rlp::take(input)?;
    Some(Child { item, encoded: &whole[..whole.len() - input.len()] })
}

fn link(child: Child) -> Option<Link> {
    match child.item {
        Item::Bytes([]) => Some(Link::None),
        Item::Bytes(bytes) => B256::try_from(bytes).ok().map(Link::Hash),
        // Nesting ends by itself: what stands in its parent is shorter than a hash.
        Item::List(payload) if child.encoded.len() < HASH_BYTES => {
            let reference = Some(Reference::of_node(child.encoded));
            Some(Link::Node(Box::new(Loaded { node: parse(payload)?, reference, used: 0 })))
        }
        Item::List(_) => None,
    }
}
