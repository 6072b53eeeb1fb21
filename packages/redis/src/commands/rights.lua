--[[
  Which of the rights that the store needs this user lacks. Touches no key, so it needs none.

  ARGV[1]  string  name of a session's hash
  ARGV[2]  string  name of its journal
  ARGV[3]  string  name of its blobs
  ARGV[4]  string  name of the index
  ARGV[5]  string  name of the shared records

  Returns { 'known', { key, … }, { command, … }, { command, … } }: the keys that the user may not use, the commands that
          it may not run, and those that the server does not have;
          { 'unknown' } from a server that cannot tell: Redis before 7.
  Errors  none of its own.

  A command and its key are one question to the server, so it is asked only with a key that the user may use. Its form is
  complete: here Redis does not check that, and relies on it.
]]
if not redis.acl_check_cmd then
  return { 'unknown' }
end

local session, journal, blobs, index, shared = unpack(ARGV)
local keys, commands, absent = {}, {}, {}
local may_use = {}
for _, key in ipairs(ARGV) do
  -- This user runs EVAL right now, so only the key can be refused.
  may_use[key] = redis.acl_check_cmd('EVAL', '', '1', key)
  if not may_use[key] then
    keys[#keys + 1] = key
  end
end

local function ask(key, command, ...)
  if key and not may_use[key] then
    return
  end
  local is_there, is_allowed = pcall(redis.acl_check_cmd, command, ...)
  if not is_there then
    absent[#absent + 1] = command
  elseif not is_allowed then
    commands[#commands + 1] = command
  end
end

ask(session, 'evalsha', '', '1', session)
ask(nil, 'time')
ask(session, 'hget', session, 'f')
ask(session, 'hmget', session, 'f')
ask(session, 'hset', session, 'f', 'v')
ask(session, 'hdel', session, 'f')
ask(shared, 'hscan', shared, '0')
ask(journal, 'llen', journal)
ask(journal, 'lrange', journal, '0', '0')
ask(journal, 'rpush', journal, 'v')
ask(blobs, 'unlink', blobs)
ask(index, 'zadd', index, '0', 'm')
ask(index, 'zscan', index, '0')
ask(index, 'zscore', index, 'm')
ask(index, 'zrem', index, 'm')
return { 'known', keys, commands, absent }
