--[[
  Extends a lease, also an expired one that nobody took.

  KEYS[1]  hash    the session
  ARGV[1]  number  fence of the lease
  ARGV[2]  string  id of its owner
  ARGV[3]  ms      how long the lease runs from now

  Returns { 'renewed' } or { 'lease-lost' }.
  Errors  none of its own.
]]
local session = KEYS[1]
local fence, owner_id, ttl_ms = ARGV[1], ARGV[2], tonumber(ARGV[3])

local stored = redis.call('HMGET', session, 'fence', 'ownerId')
if stored[1] ~= fence or stored[2] ~= owner_id then
  return { 'lease-lost' }
end

local time = redis.call('TIME')
redis.call('HSET', session, 'expiresAt', time[1] * 1000 + math.floor(time[2] / 1000) + ttl_ms)
return { 'renewed' }
