/**
 * Compacts etcd at its current revision, through its JSON gateway.
 * @see https://etcd.io/docs/v3.5/dev-guide/api_grpc_gateway/
 */
export async function compactEtcd(port: number, signal: AbortSignal): Promise<void> {
  const post = async (path: string, body: object): Promise<unknown> => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, {
      method: 'POST',
      body: JSON.stringify(body),
      signal,
    });
    if (!response.ok)
      throw new Error(`etcd answered ${path} with ${response.status}: ${await response.text()}`);
    return response.json();
  };
  const { header } = (await post('/v3/maintenance/status', {})) as { header: { revision: string } };
  await post('/v3/kv/compaction', { revision: header.revision, physical: true });
}
