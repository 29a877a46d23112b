//! Accounts, storage and code over tries: what revm reads, and what a block writes back once.
use crate::{
    fault::Fault,
    preimage::{Kind, Preimages},
    rlp,
    trie::{EMPTY_ROOT, Trie},
};
use alloc::{collections::BTreeMap, vec::Vec};
use alloy_consensus::Header;
use alloy_primitives::{Address, B256, U256, keccak256, map::HashMap};
use revm::{
    Database,
    bytecode::Bytecode,
    primitives::KECCAK_EMPTY,
    state::{Account as EvmAccount, AccountInfo, EvmState},
};

/// BLOCKHASH sees this many blocks back.
const BLOCKHASH_DEPTH: u64 = 256;
/// Bounds of what is kept between blocks, in entries.
const MAX_CODES: usize = 2_048;
const MAX_STORAGES: usize = 16_384;
const MAX_NODES: usize = 400_000;
/// Nodes that no block touched for so long are forgotten when there are too many.
const KEEP_COMMITS: u32 = 16;
/// Of an instance that answers calls: what it has read.
const MAX_READ_NODES: usize = 100_000;
const MAX_HASHES: usize = 50_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Account {
    nonce: u64,
    balance: U256,
    storage_root: B256,
    code_hash: B256,
}

impl Account {
    fn decode(bytes: &[u8]) -> Result<Account, Fault> {
        Self::parse(bytes).ok_or(Fault::Malformed("account"))
    }

    fn parse(bytes: &[u8]) -> Option<Account> {
        let mut items = rlp::only_list(bytes)?;
        let nonce = rlp::take_u64(&mut items)?;
        let balance = rlp::take_number(&mut items, 32)?;
        let storage_root = B256::try_from(rlp::take_bytes(&mut items)?).ok()?;
        let code_hash = B256::try_from(rlp::take_bytes(&mut items)?).ok()?;
        items.is_empty().then_some(Account { nonce, balance, storage_root, code_hash })
    }

    fn is_bare_storage(&self) -> bool {
        self.nonce == 0 && self.code_hash == KECCAK_EMPTY && self.storage_root != EMPTY_ROOT
    }

    fn encode(&self) -> Vec<u8> {
        let mut payload = Vec::with_capacity(110);
        rlp::put_number(U256::from(self.nonce), &mut payload);
        rlp::put_number(self.balance, &mut payload);
        rlp::put_bytes(self.storage_root.as_slice(), &mut payload);
        rlp::put_bytes(self.code_hash.as_slice(), &mut payload);
        let mut out = Vec::with_capacity(112);
        rlp::put_list(&payload, &mut out);
        out
    }
}

/// EIP-7610: a contract cannot be created where storage is. revm looks at nonce and code alone, so an account that has nothing
/// but storage shows it this nonce. None can come to be on this chain: the official tests have them.
const BARE_STORAGE_NONCE: u64 = 1;

struct Storage {
    root: B256,
    trie: Trie,
}

/// The state after one block, and what was read of it. `P` has the preimages.
pub struct State<P> {
    pub preimages: P,
    root: B256,
    accounts: Trie,
    /// By address, opened on first use. What is looped over is a BTreeMap: one order on every target.
    storages: BTreeMap<Address, Storage>,
    codes: HashMap<B256, Bytecode>,
    hashed_slots: HashMap<U256, B256>,
    hashed_addresses: HashMap<Address, B256>,
    /// Hashes of the blocks before the one that runs, newest first, and the number of the first.
    ancestors: Vec<B256>,
    parent_number: u64,
}

impl<P: Preimages> State<P> {
    pub fn new(preimages: P) -> State<P> {
        State {
            preimages,
            root: EMPTY_ROOT,
            accounts: Trie::default(),
            storages: BTreeMap::new(),
            codes: HashMap::default(),
            hashed_slots: HashMap::default(),
            hashed_addresses: HashMap::default(),
            ancestors: Vec::new(),
            parent_number: 0,
        }
    }

    /// Stands on the state after `parent`. What is in memory stays when it is of that state.
    pub fn stand_on(&mut self, parent: &Header, parent_hash: B256) {
        self.open(parent.state_root);
        self.parent_number = parent.number;
        self.ancestors.clear();
        self.ancestors.push(parent_hash);
        self.ancestors.push(parent.parent_hash);
    }

    /// Stands in a block that ran: the state after it, and the blocks before it.
    pub fn stand_in(&mut self, header: &Header) {
        self.open(header.state_root);
        self.parent_number = header.number.saturating_sub(1);
        self.ancestors.clear();
        self.ancestors.push(header.parent_hash);
    }

    /// Opens the state under a root.
    pub fn open(&mut self, root: B256) {
        if self.root == root {
            return;
        }
        self.root = root;
        self.accounts = Trie::open(root);
        self.storages.clear();
    }

    /// Forgets all that is in memory: after a fault it may be half changed.
    pub fn reset(&mut self) {
        self.root = EMPTY_ROOT;
        self.accounts = Trie::default();
        self.storages.clear();
        self.codes.clear();
        self.forget_hashes();
    }

    fn forget_hashes(&mut self) {
        self.hashed_slots.clear();
        self.hashed_addresses.clear();
    }

    fn key_of(&mut self, address: Address) -> B256 {
        *self.hashed_addresses.entry(address).or_insert_with(|| keccak256(address))
    }

    fn slot_key(&mut self, slot: U256) -> B256 {
        *self.hashed_slots.entry(slot).or_insert_with(|| keccak256(slot.to_be_bytes::<32>()))
    }

    fn account(&mut self, address: Address) -> Result<Option<Account>, Fault> {
        let key = self.key_of(address);
        self.accounts.get(&key, &mut self.preimages)?.map(|bytes| Account::decode(&bytes)).transpose()
    }

    /// Writes a block's changes into the tries, hands out what is new and returns the state root.
    pub fn commit(&mut self, changes: EvmState) -> Result<B256, Fault> {
        let mut touched: Vec<_> = changes.into_iter().filter(|(_, account)| account.is_touched()).collect();
        touched.sort_unstable_by_key(|(address, _)| *address);
        for (address, account) in touched {
            self.write(address, account)?;
        }
        self.root = self.accounts.commit(&mut self.preimages);
        self.forget_hashes();
        self.bound_memory();
        Ok(self.root)
    }

    fn write(&mut self, address: Address, account: EvmAccount) -> Result<(), Fault> {
        let key = self.key_of(address);
        // The flags that are not local say what happened anywhere in the block: an account may be destroyed and paid later.
        if account.is_selfdestructed_locally() || account.is_empty() {
            self.storages.remove(&address);
            return self.accounts.put(&key, None, &mut self.preimages);
        }
        let old = self.account(address)?;
        let storage_before = match old {
            Some(old) if !account.is_created() => old.storage_root,
            _ => EMPTY_ROOT,
        };
        let AccountInfo { nonce, balance, code_hash, code, .. } = &account.info;
        if *code_hash != KECCAK_EMPTY
            && old.is_none_or(|old| old.code_hash != *code_hash)
            && let Some(code) = code
        {
            self.preimages.put(Kind::Code, *code_hash, code.original_byte_slice());
            self.codes.insert(*code_hash, code.clone());
        }
        let is_bare = old.is_some_and(|old| old.is_bare_storage()) && *nonce == BARE_STORAGE_NONCE;
        let (nonce, balance, code_hash) = (if is_bare { 0 } else { *nonce }, *balance, *code_hash);
        let storage_root = self.write_storage(address, storage_before, &account)?;
        let new = Account { nonce, balance, storage_root, code_hash };
        self.accounts.put(&key, Some(new.encode()), &mut self.preimages)
    }

    fn write_storage(&mut self, address: Address, before: B256, account: &EvmAccount) -> Result<B256, Fault> {
        let mut slots: Vec<_> = account.storage.iter().map(|(slot, value)| (*slot, value.present_value)).collect();
        slots.sort_unstable();
        if slots.is_empty() {
            return Ok(before);
        }
        let mut storage = self
            .storages
            .remove(&address)
            .filter(|storage| storage.root == before)
            .unwrap_or_else(|| Storage { root: before, trie: Trie::open(before) });
        for (slot, value) in slots {
            let key = self.slot_key(slot);
            let value = (!value.is_zero()).then(|| {
                let mut out = Vec::with_capacity(33);
                rlp::put_number(value, &mut out);
                out
            });
            storage.trie.put(&key, value, &mut self.preimages)?;
        }
        let root = storage.trie.commit(&mut self.preimages);
        storage.root = root;
        self.storages.insert(address, storage);
        Ok(root)
    }

    /// Keeps what is held between blocks within its bounds. Only speed depends on it.
    fn bound_memory(&mut self) {
        if self.codes.len() > MAX_CODES {
            self.codes.clear();
        }
        if self.storages.len() > MAX_STORAGES {
            self.storages.clear();
        }
        let nodes = self.accounts.loaded() + self.storages.values().map(|storage| storage.trie.loaded()).sum::<usize>();
        if nodes > MAX_NODES {
            self.accounts.forget(KEEP_COMMITS);
            self.storages.values_mut().for_each(|storage| storage.trie.forget(KEEP_COMMITS));
        }
    }

    /// The same where calls are answered and nothing is committed, so that nothing that was read gets old. Called between calls.
    pub fn bound_reads(&mut self) {
        if self.hashed_slots.len() + self.hashed_addresses.len() > MAX_HASHES {
            self.forget_hashes();
        }
        if self.codes.len() > MAX_CODES {
            self.codes.clear();
        }
        let nodes = self.accounts.loaded() + self.storages.values().map(|storage| storage.trie.loaded()).sum::<usize>();
        if nodes > MAX_READ_NODES || self.storages.len() > MAX_STORAGES {
            self.accounts = Trie::open(self.root);
            self.storages.clear();
        }
    }

    fn storage_of(&mut self, address: Address) -> Result<&mut Storage, Fault> {
        if !self.storages.contains_key(&address) {
            let root = self.account(address)?.map_or(EMPTY_ROOT, |account| account.storage_root);
            self.storages.insert(address, Storage { root, trie: Trie::open(root) });
        }
        self.storages.get_mut(&address).ok_or(Fault::Evm)
    }

    fn read_code(&mut self, hash: B256) -> Result<Bytecode, Fault> {
        if hash == KECCAK_EMPTY {
            return Ok(Bytecode::default());
        }
        if let Some(code) = self.codes.get(&hash) {
            return Ok(code.clone());
        }
        let bytes = self.preimages.get(Kind::Code, &hash)?;
        // What begins like a delegation (EIP-7702) without being one is code as any other.
        let code =
            Bytecode::new_raw_checked(bytes.clone().into()).unwrap_or_else(|_| Bytecode::new_legacy(bytes.into()));
        self.codes.insert(hash, code.clone());
        Ok(code)
    }
}

impl<P: Preimages> Database for State<P> {
    type Error = Fault;

    fn basic(&mut self, address: Address) -> Result<Option<AccountInfo>, Fault> {
        let Some(account) = self.account(address)? else { return Ok(None) };
        let Account { balance, code_hash, .. } = account;
        let nonce = if account.is_bare_storage() { BARE_STORAGE_NONCE } else { account.nonce };
        let code =
            if code_hash == KECCAK_EMPTY { Some(Bytecode::default()) } else { self.codes.get(&code_hash).cloned() };
        Ok(Some(AccountInfo { nonce, balance, code_hash, code, ..AccountInfo::default() }))
    }

    fn code_by_hash(&mut self, hash: B256) -> Result<Bytecode, Fault> {
        self.read_code(hash)
    }

    fn storage(&mut self, address: Address, slot: U256) -> Result<U256, Fault> {
        let key = self.slot_key(slot);
        let storage = self.storage_of(address)?;
        if storage.root == EMPTY_ROOT {
            return Ok(U256::ZERO);
        }
        // The trie is taken out while preimages are read, and put back.
        let mut trie = core::mem::take(&mut storage.trie);
        let value = trie.get(&key, &mut self.preimages);
        self.storage_of(address)?.trie = trie;
        let Some(bytes) = value? else { return Ok(U256::ZERO) };
        rlp::take_number(&mut &bytes[..], 32).ok_or(Fault::Malformed("storage value"))
    }

    fn block_hash(&mut self, number: u64) -> Result<B256, Fault> {
        let depth = match self.parent_number.checked_sub(number) {
            Some(depth) if depth < BLOCKHASH_DEPTH => depth as usize,
            _ => return Ok(B256::ZERO),
        };
        while self.ancestors.len() <= depth {
            let Some(last) = self.ancestors.last().copied() else { return Err(Fault::Evm) };
            let header = crate::header::decode(&self.preimages.get(Kind::Header, &last)?)?;
            self.ancestors.push(header.parent_hash);
        }
        Ok(self.ancestors[depth])
    }
}
