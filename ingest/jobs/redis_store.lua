-- The changes of the job store, each one step in Redis.
-- KEYS[1] is the prefix of all keys, ARGV[1] the operation, ARGV[2] its arguments as a JSON object.
--
-- job:ID          hash     the fields of `Job`, and its number
-- jobs, open      sorted   ids by number: all, and those that have not ended
-- items:ID        set      seqs of the job's items
-- item:SEQ        hash     job, queue, key, work, attempts, token, holder
-- line:QUEUE:KEY  list     seqs of one key in order; only the head may run
-- ready:QUEUE     sorted   heads that may be taken, by seq
-- busy:QUEUE      sorted   heads that may be taken later, by the time: held (with a token), or put off
-- dead, dead:SEQ, deadkey:KEY   sorted, hash, sorted    writes that were given up
-- changes, dirty  hash     the reindex that wants to know of writes, and its barrier; key -> generation
-- schedules, schedule:NAME, runs:NAME   set, hash, list   schedules, their terms and next time, their results
-- lock:NAME       hash     owner, since, until ('' for a job's)
-- wake            list     one entry for each worker that should look for work
--
-- Times are the server's own, so that clocks of workers do not matter. An operation that runs twice,
-- because its answer was lost, does no harm: a job is added once, an item is settled by its token once.

local P, args = KEYS[1], cjson.decode(ARGV[2])
local clock = redis.call('TIME')
local now = tonumber(clock[1]) + tonumber(clock[2]) / 1e6
local FINAL = {done = true, failed = true, cancelled = true}
local MOST_WAKES = 64

local function call(command, key, ...) return redis.call(command, P .. key, ...) end
local function text(seconds) return string.format('%.6f', seconds) end
local function get(key, name) return call('HGET', key, name) or nil end
local function ended(id)
  local state = get('job:' .. id, 'state')
  return state == nil or FINAL[state] == true
end
local function barrier() return get('changes', 'barrier') == '1' end
local function mark_dirty(key)
  if call('EXISTS', 'changes') == 1 then call('HINCRBY', 'dirty', key, 1) end
end
local function notify(count)
  for _ = 1, math.min(count, MOST_WAKES) do call('RPUSH', 'wake', '') end
  call('LTRIM', 'wake', -MOST_WAKES, -1)
end

local function push(id, items)
  for _, item in ipairs(items) do
    local queue, key, work = item[1], item[2], item[3]
    local seq = call('INCR', 'seq')
    call('HSET', 'item:' .. seq, 'job', id, 'queue', queue, 'key', key, 'work', work, 'attempts', 0)
    call('SADD', 'items:' .. id, seq)
    local place = call('RPUSH', 'line:' .. queue .. ':' .. key, seq)
    if place == 1 then call('ZADD', 'ready:' .. queue, seq, seq) end
  end
  notify(#items)
end

local function drop(seq)
  local item = call('HMGET', 'item:' .. seq, 'job', 'queue', 'key')
  local queue, line = item[2], 'line:' .. item[2] .. ':' .. item[3]
  local was_head = call('LINDEX', line, 0) == tostring(seq)
  call('ZREM', 'ready:' .. queue, seq)
  call('ZREM', 'busy:' .. queue, seq)
  call('LREM', line, 1, seq)
  call('SREM', 'items:' .. item[1], seq)
  call('DEL', 'item:' .. seq)
  local head = call('LINDEX', line, 0)
  if was_head and head then call('ZADD', 'ready:' .. queue, head, head) end
end

local function is_held(seq)
  local token, queue = unpack(call('HMGET', 'item:' .. seq, 'token', 'queue'))
  local busy_until = call('ZSCORE', 'busy:' .. queue, seq)
  return token and busy_until and tonumber(busy_until) > now
end

local function free_overdue(queue)
  for _, seq in ipairs(call('ZRANGEBYSCORE', 'busy:' .. queue, '-inf', now)) do
    if ended(get('item:' .. seq, 'job')) then drop(seq) else
      call('ZREM', 'busy:' .. queue, seq)
      call('ZADD', 'ready:' .. queue, seq, seq)
    end
  end
end

local function insert(id, fields)
  local number = call('INCR', 'number')
  call('HSET', 'job:' .. id, 'number', number, 'created_s', text(now), 'updated_s', text(now), unpack(fields))
  call('ZADD', 'jobs', number, id)
  call('ZADD', 'open', number, id)
end

local function finish(id, state, reason)
  if ended(id) then return false end
  call('HSET', 'job:' .. id, 'state', state, 'updated_s', text(now))
  call('HDEL', 'job:' .. id, 'waiting', 'waiting_since_s')
  if reason ~= '' then call('HSET', 'job:' .. id, 'error', reason) end
  call('ZREM', 'open', id)
  for _, seq in ipairs(call('SMEMBERS', 'items:' .. id)) do
    if not is_held(seq) then drop(seq) end
  end
  if get('lock:catalogue', 'owner') == id then call('DEL', 'lock:catalogue') end
  if get('changes', 'job') == id then call('DEL', 'changes') end
  return true
end

local function finish_if_through(id)
  local stage, done, failed = unpack(call('HMGET', 'job:' .. id, 'stage', 'done', 'failed_items'))
  if stage ~= '' or call('SCARD', 'items:' .. id) > 0 then return end
  finish(id, tonumber(failed) > 0 and tonumber(done) == 0 and 'failed' or 'done', '')
end

local function lock_holder(name)
  local owner, since, ends = unpack(call('HMGET', 'lock:' .. name, 'owner', 'since', 'until'))
  if not owner then return nil end
  if ends == '' then return {owner} end
  if tonumber(ends) > now then return {owner, now - tonumber(since), tonumber(ends) - now} end
  return nil
end

local op = {}

function op.add()
  if call('EXISTS', 'job:' .. args.id) == 1 then return {} end
  if args.exclusive then
    local holder = lock_holder('catalogue')
    if holder then return holder end
    call('HSET', 'lock:catalogue', 'owner', args.id, 'since', text(now), 'until', '')
    call('DEL', 'dirty')
    call('HSET', 'changes', 'job', args.id, 'barrier', '0')
  end
  insert(args.id, args.fields)
  push(args.id, args.items)
  return {}
end

function op.set()
  if ended(args.id) then return false end
  call('HSET', 'job:' .. args.id, 'updated_s', text(now), unpack(args.fields))
  call('HDEL', 'job:' .. args.id, 'waiting', 'waiting_since_s')
  return true
end

function op.extend()
  if ended(args.id) then return false end
  if get('job:' .. args.id, 'cursor') ~= args.cursor then
    push(args.id, args.items)
    call('HSET', 'job:' .. args.id, 'cursor', args.cursor)
  end
  return true
end

function op.advance()
  local id = args.id
  if ended(id) or get('job:' .. id, 'stage') ~= args.stage or call('SCARD', 'items:' .. id) > 0 then
    return false
  end
  call('HSET', 'job:' .. id, 'stage', args.to)
  push(id, args.items)
  return true
end

function op.finish() return finish(args.id, args.state, args.error) end

function op.claim()
  local queue, claimed = args.queue, {}
  if args.writes and barrier() then return claimed end
  free_overdue(queue)
  for place, seq in ipairs(call('ZRANGE', 'ready:' .. queue, 0, args.limit - 1)) do
    local job, key, work, tries = unpack(call('HMGET', 'item:' .. seq, 'job', 'key', 'work', 'attempts'))
    local suspect = tonumber(tries) >= args.suspicious
    if place == 1 or not suspect then
      local token = args.token .. ':' .. seq
      call('HSET', 'item:' .. seq, 'token', token, 'holder', args.holder, 'attempts', tries + 1)
      call('ZREM', 'ready:' .. queue, seq)
      call('ZADD', 'busy:' .. queue, now + args.lease_s, seq)
      if get('job:' .. job, 'state') == 'queued' then
        call('HSET', 'job:' .. job, 'state', 'running', 'started_s', text(now), 'updated_s', text(now))
      end
      if args.writes then mark_dirty(key) end
      claimed[#claimed + 1] = {seq, job, key, work, tries + 1, token}
    end
    if place == 1 and suspect then break end
  end
  return claimed
end

function op.renew()
  local held = true
  for _, item in ipairs(args.items) do
    local seq, token, job = item[1], item[2], item[3]
    if get('item:' .. seq, 'token') == token then
      call('ZADD', 'busy:' .. get('item:' .. seq, 'queue'), now + args.lease_s, seq)
    else
      held = false
    end
    if ended(job) then held = false end
  end
  return held
end

local function put_off(outcome, queue)
  local job = 'job:' .. outcome.job
  if ended(outcome.job) then return drop(outcome.seq) end
  call('HSET', 'item:' .. outcome.seq, 'attempts', outcome.attempts)
  call('HDEL', 'item:' .. outcome.seq, 'token', 'holder')
  call('ZADD', 'busy:' .. queue, now + outcome.after_s, outcome.seq)
  call('HSET', job, 'waiting', outcome.reason)
  call('HSETNX', job, 'waiting_since_s', text(now))
end

local function count(outcome)
  local job = 'job:' .. outcome.job
  drop(outcome.seq)
  if call('EXISTS', job) == 0 then return end
  call('HINCRBY', job, 'done', outcome.done)
  call('HINCRBY', job, 'failed_items', outcome.failed)
  call('HSET', job, 'updated_s', text(now))
  call('HDEL', job, 'waiting', 'waiting_since_s')
  if outcome.error ~= '' then call('HSETNX', job, 'error', outcome.error) end
  if type(outcome.report) == 'string' then call('HSET', job, 'report', outcome.report) end
end

local function bury(outcome, key, work)
  call('ZADD', 'dead', outcome.seq, outcome.seq)
  call('ZADD', 'deadkey:' .. key, outcome.seq, outcome.seq)
  call('HSET', 'dead:' .. outcome.seq, 'key', key, 'work', work, 'at_s', text(now), unpack(outcome.dead))
end

local function forget_earlier_dead(key, seq)
  for _, dead in ipairs(call('ZRANGEBYSCORE', 'deadkey:' .. key, '-inf', '(' .. seq)) do
    call('ZREM', 'deadkey:' .. key, dead)
    call('ZREM', 'dead', dead)
    call('DEL', 'dead:' .. dead)
  end
end

function op.settle()
  local jobs = {}
  for _, outcome in ipairs(args.outcomes) do
    jobs[outcome.job] = true
    local queue, key, work, token = unpack(call('HMGET', 'item:' .. outcome.seq, 'queue', 'key', 'work', 'token'))
    if token == outcome.token then
      if queue == args.writes then mark_dirty(key) end
      if outcome.after_s then put_off(outcome, queue) else count(outcome) end
      if queue == args.writes and outcome.done > 0 then forget_earlier_dead(key, outcome.seq) end
      if outcome.dead then bury(outcome, key, work) end
    end
  end
  for id in pairs(jobs) do
    if call('EXISTS', 'job:' .. id) == 1 then finish_if_through(id) end
  end
end

function op.requeue_dead()
  local id, seqs = args.id, call('ZRANGE', 'dead', 0, -1)
  if call('EXISTS', 'job:' .. id) == 1 then return 0 end
  insert(id, args.fields)
  call('HINCRBY', 'job:' .. id, 'total', #seqs)
  push(id, args.items)
  for _, seq in ipairs(seqs) do
    local key, work = unpack(call('HMGET', 'dead:' .. seq, 'key', 'work'))
    push(id, {{args.writes, key, work}})
    call('DEL', 'dead:' .. seq, P .. 'deadkey:' .. key)
  end
  call('DEL', 'dead')
  finish_if_through(id)
  return #seqs
end

function op.clear_dirty()
  for _, entry in ipairs(args.dirty) do
    if get('dirty', entry[1]) == tostring(entry[2]) then call('HDEL', 'dirty', entry[1]) end
  end
end

function op.set_barrier()
  if get('changes', 'job') ~= args.id then return false end
  call('HSET', 'changes', 'barrier', args.barrier)
  notify(MOST_WAKES)
  return true
end

function op.lock()
  local holder = lock_holder(args.name)
  if holder and holder[1] ~= args.owner then return holder end
  call('HSET', 'lock:' .. args.name, 'owner', args.owner, 'since', text(now), 'until', text(now + args.lease_s))
  return {}
end

function op.unlock()
  if get('lock:' .. args.name, 'owner') == args.owner then call('DEL', 'lock:' .. args.name) end
end

function op.put_schedule()
  call('SADD', 'schedules', args.name)
  call('DEL', 'runs:' .. args.name)
  call('HSET', 'schedule:' .. args.name, 'terms', args.terms, 'due', args.due, 'job', '')
end

function op.remove_schedule()
  call('DEL', 'schedule:' .. args.name, P .. 'runs:' .. args.name)
  return call('SREM', 'schedules', args.name) == 1
end

function op.start_scheduled()
  local due, before = unpack(call('HMGET', 'schedule:' .. args.name, 'due', 'job'))
  if due ~= args.due or before ~= args.before then return false end
  call('HSET', 'schedule:' .. args.name, 'due', args.next, 'job', args.id)
  insert(args.id, args.fields)
  push(args.id, args.items)
  return true
end

function op.note_run()
  if call('EXISTS', 'schedule:' .. args.name) == 0 then return end
  for _, run in ipairs(call('LRANGE', 'runs:' .. args.name, 0, -1)) do
    if cjson.decode(run).job_id == args.id then return end
  end
  call('LPUSH', 'runs:' .. args.name, args.run)
  call('LTRIM', 'runs:' .. args.name, 0, args.keep - 1)
end

function op.wake() notify(args.count) end

return cjson.encode(op[ARGV[1]]() or false)
