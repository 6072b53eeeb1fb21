/** A minimal reverse proxy: node:http, both ways, connections kept. Argument: its upstream. */
import { Agent, createServer, request as ask } from 'node:http'

const { hostname, port } = new URL(process.argv[2])
const agent = new Agent({ keepAlive: true })

const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
  const { method, url: path, headers } = request
  const upstream = ask({ hostname, port, method, path, headers, agent }, (answer) => {
    response.writeHead(answer.statusCode, answer.headers)
    answer.pipe(response)
  })
  upstream.on('error', () => response.destroy())
  response.on('close', () => upstream.destroy())
  request.pipe(upstream)
})
server.listen(0, '127.0.0.1', () => process.send(`http://127.0.0.1:${server.address().port}`))
process.on('disconnect', () => process.exit())
