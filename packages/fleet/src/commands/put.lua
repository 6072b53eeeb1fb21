--[[
  Writes the row of a session.

  KEYS[1]  zset    the rows of its shard
  KEYS[2]  set     the sessions among them that a person waits for
  ARGV[1]  string  the session
  ARGV[2]  ms      from now until the next look
  ARGV[3]  string  'always'; 'missing': only if there is no row; 'earlier': only if there is one with a later instant
  ARGV[4]  string  'interactive' or 'batch'; 'kept': as it is

  Returns nothing.
  Errors  none of its own.
]]
local rows, interactive = KEYS[1], KEYS[2]
local id, delay_ms, where, priority = ARGV[1], tonumber(ARGV[2]), ARGV[3], ARGV[4]

local time = redis.call('TIME')
local at = time[1] * 1000 + math.floor(time[2] / 1000) + delay_ms

local there = tonumber(redis.call('ZSCORE', rows, id))
if where == 'missing' and there or where == 'earlier' and (not there or there <= at) then
  return
end

redis.call('ZADD', rows, at, id)
if priority == 'interactive' then
  redis.call('SADD', interactive, id)
elseif priority == 'batch' then
  redis.call('SREM', interactive, id)
end
